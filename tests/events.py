"""Events for tests, with everything filled in that a test does not care about."""

import itertools

from bot.domain.conversation import Conversation, Person
from bot.domain.events import CommandGiven, MessageReceived

PLACE = Conversation(platform="fake", workspace="W", channel="C")
ANN = Person(platform="fake", user="ann", name="Ann")
_ids = itertools.count(1)


def message(text="hello", **changes) -> MessageReceived:
    number = next(_ids)
    values = {
        "id": f"fake:{number}", "at": 1000.0 + number, "conversation": PLACE, "author": ANN, "text": text,
        "message": str(number), "addressed": True, "private": True,
    }  # fmt: skip
    return MessageReceived(**{**values, **changes})


def command(name, words="", **changes) -> CommandGiven:
    number = next(_ids)
    values = {
        "id": f"fake:{number}", "at": 1000.0 + number, "conversation": PLACE, "author": ANN, "name": name,
        "words": words, "private": True, "reply_via": "token",
    }  # fmt: skip
    return CommandGiven(**{**values, **changes})
