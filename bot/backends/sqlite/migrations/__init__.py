"""Numbered SQL: each file brings the schema one version further."""
