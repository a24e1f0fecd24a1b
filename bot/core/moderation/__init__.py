"""Moderation: who judges, what is decided, what follows from it, and how people appeal."""
