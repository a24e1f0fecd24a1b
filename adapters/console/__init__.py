"""The terminal: the smallest adapter, and the one to copy."""
