"""Exact search over many vectors; importing this package imports nobody else's."""
