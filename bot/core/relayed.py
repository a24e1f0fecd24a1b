"""The words of a handover, as the staff and the customer read them: pure.

What somebody wrote is quoted line by line, so that nobody can imitate the bot or the staff, and of
people nothing is shown but their name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.core import sentences
from bot.domain.conversation import Conversation, Person
from bot.domain.events import MessageReceived
from bot.domain.hours import Spell, opening, told
from bot.domain.text import display_name, safe_name, visible
from bot.ports.store import Remembered

LONGEST_LINE = 500  # characters: no platform cuts through a line, so each piece stays quoted
LONGEST_CONTEXT = 600  # characters of each line of the conversation that the staff is shown
_MARKUP = re.compile(r"[*`~\\]")


def name_of(person: Person, otherwise: str) -> str:
    """Return somebody's name with nothing that would be markup in it."""
    return _plain(person.name) or otherwise


def for_staff(event: MessageReceived) -> str:
    """Say what the customer has written, or changed."""
    words = sentences.EDITED_BY_CUSTOMER if event.edited and event.replaces else "{name}"
    name = words.format(name=f"**{name_of(event.author, event.author.user)}**")
    return f"{name}:\n{quoted(_whole(event))}"


def for_customer(event: MessageReceived) -> str:
    """Say what somebody of the staff has answered."""
    name = name_of(event.author, "Staff")
    said = sentences.FROM_STAFF.format(name=name, text=_whole(event))
    return f"{said}\n\n{sentences.FILES_STAY}" if event.attachments else said


def request(person: Person, place: Conversation, link: str, question: str,
            before: Sequence[Remembered]) -> str:  # fmt: skip
    """Ask the staff; `before` is what was said last, newest first."""
    where = f"`{str(place).rstrip(':')}`" + (f" ({link})" if link else "")
    parts = [sentences.WANTED.format(name=name_of(person, person.user), where=where)]
    parts += [quoted(question)] if question else []
    lines = "\n".join(_context(reversed(before)))
    parts += [f"{sentences.BEFORE}\n\n{lines}"] if lines else []
    return "\n\n".join((*parts, sentences.HOW_TO_ANSWER))


def promise(hours: Sequence[str], now: datetime) -> str:
    """Say that somebody was asked, and when somebody is there; `now` is the time of the house."""
    opens = opening([Spell.read(line) for line in hours], now)
    return sentences.ASKED_LATER.format(when=told(opens, now)) if opens else sentences.ASKED


def quoted(text: str) -> str:
    """Quote a text so that each of its lines, and each message it is cut into, shows it."""
    return "\n".join(
        f"> {line[at : at + LONGEST_LINE]}"
        for line in visible(text).splitlines()
        for at in range(0, max(len(line), 1), LONGEST_LINE)
    )


def _whole(event: MessageReceived) -> str:
    """Return what was written, with the names of the files that came along."""
    names = [_MARKUP.sub(" ", safe_name(file.name)) for file in event.attachments]
    return "\n".join(filter(str.strip, (event.words, *(f"📎 {name}" for name in names))))


def _context(lines: Iterator[Remembered]) -> Iterator[str]:
    speakers: Mapping[str, str] = {"assistant": "bot", "user": "customer"}
    for line in lines:
        who = _plain(line.name) or speakers.get(line.role, line.role)
        text = line.text[:LONGEST_CONTEXT] + ("…" if len(line.text) > LONGEST_CONTEXT else "")
        yield quoted(f"{who}: {text}")


def _plain(name: str) -> str:
    return " ".join(_MARKUP.sub(" ", display_name(name)).split())
