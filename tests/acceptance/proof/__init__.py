"""Proofs of what the README promises: each one a number, a seed, and a contrast that fails."""
