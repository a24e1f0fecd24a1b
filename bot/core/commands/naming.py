"""Who is meant by a word of an order: a person's whole name, a mention, or an id alone."""

import re
from dataclasses import replace

from bot.core.commands.desk import Request

PERSON = re.compile(r"[a-z][a-z0-9_]*:[^:\s]*:[^:\s]+")
MENTION = re.compile(r"<?@!?([A-Z0-9]+)>?|(\d{3,})")


def named(request: Request, word: str) -> str:
    """Read who is meant, also as the platform writes a mention or an id."""
    found = MENTION.fullmatch(word)
    if found is None:
        return word
    return str(replace(request.event.author, user=found[1] or found[2]))
