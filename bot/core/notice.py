"""What people are told when the bot answers them for the first time: what is kept, how long.

In a direct message it stands below the first answer. In a group only the person sees it, where the
platform can do that; elsewhere one line stands below an answer, at most once a day in each channel,
however many newcomers there are. It is no part of the answer: nobody pays for it, and it is not
remembered.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.identity import Identity
from bot.domain.commands import slash
from bot.domain.conversation import Conversation
from bot.domain.events import Announced, MessageReceived
from bot.domain.policy import Policy
from bot.ports.privacy import Notices

PLACE_S = 86400.0  # seconds in which a channel sees the line once


@dataclass(slots=True, kw_only=True)
class FirstContact:
    """Knows who was told; everything is in memory, so that an answer does not wait for it."""

    enabled: bool
    notices: Notices
    identity: Identity
    announcing: Announcing
    whispers: Container[str]  # platforms on which one person can be told among many
    where: Callable[[str], str]  # model → where it is, for people
    now: Callable[[], float]  # seconds since 1970
    _told: dict[str, float] = field(default_factory=dict)  # person or place → when

    async def load(self) -> None:
        """Read who was told."""
        self._told = dict(await self.notices.noticed())

    def below(self, event: MessageReceived, policy: Policy) -> str:
        """Return what to say below an answer; empty when the person knows, or is told aside."""
        if not self.enabled or self._person(event) in self._told or event.author.bot:
            return ""
        if event.private:
            return self._first(event, policy)
        if event.conversation.platform in self.whispers:
            return ""
        place, now = self._place(event.conversation), self.now()
        if now - self._told.get(place, 0.0) < PLACE_S:
            return ""
        self._told[place] = now  # before anybody else is answered here
        before = slash(event.conversation.platform)
        return sentences.FIRST_CONTACT_HERE.format(kept=kept(policy, private=False), slash=before)

    async def answered(self, event: MessageReceived, policy: Policy, note: str) -> None:
        """Note that an answer is stored, with what stands below it; tell the person aside."""
        if not self.enabled or self._person(event) in self._told or event.author.bot:
            return
        aside = not event.private and event.conversation.platform in self.whispers
        if not note and not aside:
            return
        at, names = self.now(), [self._person(event)]
        if not event.private and note:
            names.append(self._place(event.conversation))
        for name in names:
            self._told[name] = at
            await self.notices.notice(name, at)
        if aside:
            await self._whisper(event, policy)

    def forget(self, name: str) -> None:
        """Greet somebody (a keyed hash) as a newcomer again."""
        self._told = {told: at for told, at in self._told.items() if not told.startswith(name)}

    async def _whisper(self, event: MessageReceived, policy: Policy) -> None:
        text = self._first(event, policy)
        await self.announcing.say(
            Announced(
                id=f"notice:{event.id}", at=event.at, conversation=event.conversation, text=text,
                author=event.author, hidden=True,
            )
        )  # fmt: skip

    def _first(self, event: MessageReceived, policy: Policy) -> str:
        return sentences.FIRST_CONTACT.format(
            kept=kept(policy, private=event.private),
            where=self.where(policy.model),
            slash=slash(event.conversation.platform),
        )

    def _person(self, event: MessageReceived) -> str:
        """Name a person in one workspace; the hash comes first, so that it can be forgotten."""
        place = event.conversation
        return f"{self.identity.who(str(event.author))} {place.platform}:{place.workspace}"

    @staticmethod
    def _place(place: Conversation) -> str:
        return f"place {place.parent}"


def kept(policy: Policy, *, private: bool) -> str:
    """Say how long what was said is kept."""
    days = policy.memory.retention_days
    if not days:
        return "I keep nothing of what you write once I have answered"
    said = "what you write to me" if private or not policy.memory.listens else "all you write here"
    if not private and policy.memory.imports and not policy.memory.listens:
        said += " (and what was said before in a thread that I am called into)"
    return f"I keep {said}, and my answers, for {days} day{'s' * (days != 1)}"
