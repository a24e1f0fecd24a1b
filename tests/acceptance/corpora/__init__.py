"""Collected attacks, sent through the three platforms to a bot whose model obeys every one."""
