"""Typed lines become events; parsing has no input or output, so it is tested with plain values."""

from bot.domain.conversation import Conversation, Person
from bot.domain.events import CommandGiven, MessageReceived
from bot.domain.text import storable

PLACE = Conversation(platform="console", channel="terminal")


def event_from(line: str, *, name: str, number: int, at: float) -> MessageReceived | CommandGiven:
    """Translate one line; what begins with a slash and a letter is a command.

    Args:
        line: as it was typed.
        name: who typed it.
        number: counts the lines of one run, for the event's id.
        at: seconds since 1970.
    """
    text = storable(line.strip())
    person = Person(platform="console", user="me", name=name)
    id = f"console:{at:.6f}:{number}"
    if text.startswith("/") and text[1:2].isalpha():
        command, _, words = text[1:].partition(" ")
        return CommandGiven(
            id=id,
            at=at,
            conversation=PLACE,
            author=person,
            name=command.lower(),
            words=words,
            message=str(number),
            private=True,
        )
    return MessageReceived(
        id=id,
        at=at,
        conversation=PLACE,
        author=person,
        text=text,
        message=str(number),
        addressed=True,
        private=True,
    )
