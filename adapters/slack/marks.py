"""How far each channel was read, in memory and, a moment later, in the store.

One mark counts a channel and its threads. It follows the messages that were accepted, but passes
neither one that came and could not be stored nor a gap that is still to be read back. A mark that
lags after a crash costs a few messages read twice, which the inbox recognises; it never runs ahead.
Threads have marks of their own so that a reply to an old one can be found.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.slack.payloads import seconds
from bot.domain.conversation import Conversation
from bot.domain.events import MessageReceived
from bot.ports.platform import Marks

PLATFORM: Final = "slack"
_LIVELY: Final = 7 * 86400.0  # seconds; nobody is waited for in a thread that is silent for longer
_MOST: Final = 20  # threads of a channel that are looked into
STUCK: Final = 30.0  # seconds for which a message that could not be stored is left to Slack


@dataclass(slots=True)
class Bookmarks:
    """The newest handled message of each channel, and of each thread that we take part in."""

    store: Marks
    newest: dict[Conversation, str] = field(default_factory=dict)  # by channel
    threads: dict[Conversation, dict[Conversation, str]] = field(default_factory=dict)
    held: set[Conversation] = field(default_factory=set)  # channels with a gap
    _heard: dict[Conversation, str] = field(default_factory=dict)  # perhaps beyond a gap
    _unstored: dict[Conversation, dict[str, float]] = field(default_factory=dict)  # came when
    _moved: set[Conversation] = field(default_factory=set)

    async def load(self) -> None:
        """Read the marks that an earlier process left; of silent threads none are needed."""
        oldest = time.time() - _LIVELY
        for name, message in (await self.store.read(PLATFORM)).items():
            place = Conversation.parse(name)
            if not place.thread or seconds(message) > oldest:
                self._shelf(place)[place] = message

    def meet(self, channel: Conversation, after: str) -> None:
        """Begin to keep the mark of a channel, in which everything behind a message is of use."""
        self._move(channel, after)

    def arrived(self, event: MessageReceived) -> None:
        """Note that a message came: no mark may pass it before it is accepted."""
        came = self._unstored.setdefault(event.conversation.parent, {})
        came.setdefault(event.message, time.monotonic())

    def accepted(self, event: MessageReceived, *, concerns_us: bool) -> None:
        """Move a mark forward, after a message was accepted."""
        place, channel = event.conversation, event.conversation.parent
        self._unstored.get(channel, {}).pop(event.message, None)
        self._heard[channel] = _later(self._heard.get(channel, ""), event.message)
        if place.thread and (concerns_us or place in self._shelf(place)):
            self._move(place, event.message)
        self._follow(channel)

    def caught_up(self, event: MessageReceived) -> None:
        """Move the mark through a gap, after a message of it was accepted, oldest first."""
        self._move(event.conversation.parent, event.message)

    def lively(self, channel: Conversation) -> list[Conversation]:
        """Return the threads of a channel in which somebody may go on, the newest first."""
        marks, oldest = self.threads.get(channel, {}), time.time() - _LIVELY
        return [place for place in newest_first(marks)[:_MOST] if seconds(marks[place]) > oldest]

    def stuck(self) -> list[Conversation]:
        """Return channels in which a message came long ago and was not stored."""
        late, came = time.monotonic() - STUCK, self._unstored.items()
        stuck = (channel for channel, times in came if min(times.values(), default=late) < late)
        return [channel for channel in stuck if channel not in self.held]

    def hold(self, channel: Conversation) -> None:
        """Let the mark stay where it is: there may be a gap behind it."""
        self.held.add(channel)

    def release(self, channel: Conversation) -> None:
        """Let the mark follow the accepted messages again: the gap is closed."""
        self.held.discard(channel)
        came, late = self._unstored.pop(channel, {}), time.monotonic() - STUCK
        self._unstored[channel] = {message: at for message, at in came.items() if at > late}
        self._follow(channel)

    def knows(self, event: MessageReceived) -> bool:
        """Tell whether a message came, be it that it waits to be accepted."""
        channel = event.conversation.parent
        heard = _later(self._heard.get(channel, ""), self.newest.get(channel, ""))
        return event.at <= seconds(heard) or event.message in self._unstored.get(channel, ())

    def flush(self) -> None:
        """Write what moved since the last time; nothing is awaited."""
        moved, self._moved = self._moved, set()
        for place in moved:
            self.store.put(PLATFORM, str(place), self._shelf(place)[place])

    def _follow(self, channel: Conversation) -> None:
        heard = self._heard.get(channel, "")
        if not heard or channel in self.held:
            return
        first = min(map(seconds, self._unstored.get(channel, ())), default=None)
        if first is None or seconds(heard) < first:
            self._move(channel, heard)

    def _move(self, place: Conversation, message: str) -> None:
        shelf = self._shelf(place)
        known = place in shelf
        shelf[place] = _later(shelf.get(place, ""), message)
        self._moved.add(place)
        if not known and not place.thread:  # without any mark a channel is not read back at all
            self.flush()

    def _shelf(self, place: Conversation) -> dict[Conversation, str]:
        return self.threads.setdefault(place.parent, {}) if place.thread else self.newest


def newest_first(marks: Mapping[Conversation, str]) -> list[Conversation]:
    """Return the places of some marks, the most recently active one first."""
    return sorted(marks, key=lambda place: seconds(marks[place]), reverse=True)


def _later(one: str, other: str) -> str:
    return other if seconds(other) > seconds(one) else one
