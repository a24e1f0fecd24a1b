"""Whether an event concerns the bot: a pure rule, asked before anything is stored.

What does not concern the bot is acknowledged and dropped, so that bystanders leave no trace.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.core.permissions import Permissions
from bot.core.policies import Policies
from bot.domain.conversation import Conversation, Person
from bot.domain.events import CommandGiven, Event, MessageReceived, Pressed, StopAsked

BOT_MESSAGES, BOT_SPELL = 10, 60.0  # of other bots that are answered in so many seconds
WITHHELD = "[…]"  # what stands for the words of somebody who may not talk here
E = TypeVar("E", bound=Event)


@dataclass(slots=True, kw_only=True)
class Admission:
    """Decides from what is in memory; never waits, never stores."""

    policies: Policies
    permissions: Permissions
    staffed: Callable[[Event], bool] = lambda _: False  # whether it answers somebody handed over
    _bots: dict[str, deque[float]] = field(default_factory=dict)  # lane → when bots wrote there

    def admits(self, event: Event) -> bool:
        """Tell whether an event concerns the bot at all."""
        match event:
            case MessageReceived(author=person):
                return self._admits_message(event) and not (person.bot and self._loops(event))
            case CommandGiven() | Pressed():
                return self._may_knock(event.conversation, event.author, private=event.private)
            case StopAsked(author=person):
                return person is None or self._may_knock(event.conversation, person, private=False)
            case _:
                return False

    def may_talk(self, conversation: Conversation, person: Person, *, private: bool) -> bool:
        """Tell whether this person may use the bot in this place."""
        return self.permissions.may(person, "talk", conversation, private=private)

    def overhears(self, event: MessageReceived) -> bool:
        """Tell whether the bot may remember what somebody has said to others."""
        if event.private or event.author.bot:
            return False
        if not self.policies.resolve(event.conversation.parent).memory.listens:
            return False
        return self.may_talk(event.conversation, event.author, private=False)

    def readable(self, event: E) -> E:
        """Return an event as it may be stored: without the words of who may not talk here."""
        if not isinstance(event, MessageReceived) or not event.quoted:
            return event
        if self.permissions.may_be_quoted(event):
            return event
        return replace(event, quoted=WITHHELD)

    def _admits_message(self, event: MessageReceived) -> bool:
        place, person = event.conversation, event.author
        if self.staffed(event):
            return self._may_knock(place, person, private=False)
        access = self.policies.resolve(place).access
        if event.private:
            # Under `pairing` a stranger is admitted only to hear how to be let in.
            pairs = access.dm_policy == "pairing"
            known = self.may_talk(place, person, private=True)
            return known or (pairs and self._may_knock(place, person, private=True))
        if not self.may_talk(place, person, private=False):
            return False
        joined = bool(place.thread) and str(place) in self.policies.joined
        return event.addressed or joined or not access.require_mention

    def _may_knock(self, conversation: Conversation, person: Person, *, private: bool) -> bool:
        return self.permissions.may(person, "knock", conversation, private=private)

    def _loops(self, event: MessageReceived) -> bool:
        """Two bots that answer each other would never stop: after some messages one is silent."""
        if len(self._bots) > 1000:
            self._bots.clear()
        heard = self._bots.setdefault(str(event.conversation), deque(maxlen=BOT_MESSAGES))
        if len(heard) == BOT_MESSAGES and abs(event.at - heard[0]) < BOT_SPELL:
            return True
        heard.append(event.at)
        return False
