"""What may leave in a reply: harmless links, no secrets, no imitation of what the bot itself says.

Four filters in a row, each of which holds back only what may still change its meaning: unseen
signs, the shapes of tokens, what is to be withheld, markup. What comes out is the same however the
answer was cut into pieces.
"""

from bot.core.outgoing.reply import Outgoing

__all__ = ["Outgoing"]
