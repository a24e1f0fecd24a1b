"""Telegram: one bot account over the Bot API, by long polling or a webhook."""
