"""The places where people talk: one package per platform, and the kit that they share."""
