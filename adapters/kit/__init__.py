"""What adapters share: splitting, live editing, Markdown; nothing here knows a platform."""
