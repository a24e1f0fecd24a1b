"""The outside world, one folder per vendor; only the composition root names what is in here."""
