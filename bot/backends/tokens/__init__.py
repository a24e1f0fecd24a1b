"""Counting tokens with tiktoken, from ranks that come with the package: no network, ever."""
