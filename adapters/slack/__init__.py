"""Slack: Socket Mode or HTTP events in, Web API out."""
