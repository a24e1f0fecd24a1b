"""What is written down: cut into passages, kept as it is at its source, and embedded."""
