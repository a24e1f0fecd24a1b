"""OpenAI's moderation endpoint, and servers that speak it."""
