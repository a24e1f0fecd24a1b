"""Whether an event concerns the bot: a pure rule, asked before anything is stored.

What does not concern the bot is acknowledged and dropped, so that bystanders leave no trace.
"""

from bot.core.policies import Policies
from bot.domain.conversation import Conversation, Person
from bot.domain.events import CommandGiven, Event, MessageReceived, StopAsked


class Admission:
    """Decides from what is in memory; never waits, never stores."""

    def __init__(self, policies: Policies, admins: frozenset[str]) -> None:
        self._policies, self._admins = policies, admins

    def admits(self, event: Event) -> bool:
        """Tell whether an event concerns the bot at all."""
        match event:
            case MessageReceived():
                return self._admits_message(event)
            case CommandGiven():
                return self._may_knock(event.conversation, event.author)
            case StopAsked(author=person):
                return person is None or self._may_knock(event.conversation, person)
            case _:
                return False

    def is_admin(self, person: Person) -> bool:
        """Tell whether the configuration names this person as an admin."""
        return str(person) in self._admins

    def may_talk(self, conversation: Conversation, person: Person, *, private: bool) -> bool:
        """Tell whether this person may use the bot in this place."""
        access = self._policies.resolve(conversation).access
        if not self._may_knock(conversation, person):
            return False
        if self.is_admin(person):
            return True
        if private:
            return access.dm_policy == "open" or (
                access.dm_policy != "disabled" and str(person) in access.allow
            )
        return access.group_policy == "open" or (
            access.group_policy != "disabled" and self._listed(access.allow, conversation, person)
        )

    def _admits_message(self, event: MessageReceived) -> bool:
        place, person = event.conversation, event.author
        access = self._policies.resolve(place).access
        if not self._may_knock(place, person):
            return False
        if event.private:
            # Under `pairing` a stranger is admitted only to hear how to be let in.
            return access.dm_policy == "pairing" or self.may_talk(place, person, private=True)
        if not self.may_talk(place, person, private=False):
            return False
        joined = bool(place.thread) and str(place) in self._policies.joined
        return event.addressed or joined or not access.require_mention

    def _may_knock(self, conversation: Conversation, person: Person) -> bool:
        access = self._policies.resolve(conversation).access
        blocked = bool(access.block) and self._listed(access.block, conversation, person)
        return not blocked and (access.allow_bots or not person.bot)

    def _listed(self, listed: tuple[str, ...], conversation: Conversation, person: Person) -> bool:
        names = self._policies.names(conversation)
        return str(person) in listed or any(name in listed for name in names)
