"""Parley's engine: a message comes in, is stored, answered in order, and the answer goes back."""
