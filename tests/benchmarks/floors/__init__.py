"""The floor: bots as the documentation of the SDKs shows them, without storage or memory."""
