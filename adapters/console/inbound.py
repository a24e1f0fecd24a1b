"""Typed lines become events; parsing has no input or output, so it is tested with plain values."""

from dataclasses import dataclass

from bot.domain.conversation import Conversation, Person
from bot.domain.events import CommandGiven, MessageReceived, Pressed
from bot.domain.replies import Button
from bot.domain.text import storable

PLACE = Conversation(platform="console", channel="terminal")


@dataclass(slots=True)
class Offer:
    """The buttons of the last answer that had any: who types `/1` presses the first of them."""

    message: str = ""
    buttons: tuple[Button, ...] = ()

    @property
    def lines(self) -> str:
        """Return what to type for each, a line each."""
        return "\n".join(f"[/{key}] {button.label}" for key, button in enumerate(self.buttons, 1))

    def chosen(self, text: str) -> Button | None:
        """Return the button that a line presses; None for every other line."""
        keys = {f"/{key}": button for key, button in enumerate(self.buttons, 1)}
        return keys.get(text)


def event_from(
    line: str, *, name: str, number: int, at: float, offer: Offer
) -> MessageReceived | CommandGiven | Pressed:
    """Translate one line; what begins with a slash and a letter is a command.

    Args:
        line: as it was typed.
        name: who typed it.
        number: counts the lines of one run, for the event's id.
        at: seconds since 1970.
        offer: the buttons that can be pressed.
    """
    text = storable(line.strip())
    person = Person(platform="console", user="me", name=name)
    id = f"console:{at:.6f}:{number}"
    if button := offer.chosen(text):
        return Pressed(
            id=id,
            at=at,
            conversation=PLACE,
            author=person,
            action=button.action,
            value=button.value,
            message=offer.message,
            private=True,
        )
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
