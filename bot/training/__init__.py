"""Makes the models that come with the bot; nothing here runs in a bot that answers."""
