"""Albums: several files that a person sends at once, and a platform tells one by one.

They are one message. Only one of them has the words, and so only that one mentions the bot: those
that follow it are addressed as it is. What came before it, in a group, was said to nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.events import Event, MessageReceived
from bot.ports.store import Turn

MOST_KNOWN = 1000  # albums, the newest ones
Key = tuple[str, str, str]  # lane, person, album


@dataclass(slots=True)
class Albums:
    """Remembers which albums were taken in, also those that wait since before a restart."""

    open: Callable[[str], Sequence[Turn]]  # what waits or runs in a lane
    _first: dict[Key, str] = field(default_factory=dict)  # → the event that began it

    def addressed(self, event: Event) -> Event:
        """Return a message that is addressed when the album that it belongs to is."""
        if not isinstance(event, MessageReceived) or not event.album:
            return event
        key = _key(event)
        if key not in self._first:
            waiting = (turn.event for turn in self.open(str(event.conversation)))
            began = [one for one in waiting if isinstance(one, MessageReceived)]
            first = next((one for one in began if _key(one) == key), event)
            if not first.addressed:
                return event
            self._first[key] = first.id
            if len(self._first) > MOST_KNOWN:
                del self._first[next(iter(self._first))]
        return replace(event, addressed=True)

    def continues(self, event: MessageReceived) -> bool:
        """Tell whether it belongs to a message that was taken in already."""
        return bool(event.album) and self._first.get(_key(event), event.id) != event.id

    def refused(self, event: MessageReceived) -> None:
        """Forget an album whose first part was not taken in."""
        self._first.pop(_key(event), None)


def _key(event: MessageReceived) -> Key:
    return str(event.conversation), str(event.author), event.album
