"""Strangers in direct messages hear how to be let in; nobody else hears anything."""

from dataclasses import dataclass
from typing import Protocol

from bot.core import sentences
from bot.core.admission import Admission
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.ports.people import Pairings

CODE_S = 3600.0  # seconds for which a code lets a stranger in


class Check(Protocol):
    """One condition of answering."""

    async def check(self, event: MessageReceived, policy: Policy) -> None:
        """Raise Declined when the message is not to be answered."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """The person may talk to the bot here."""

    admission: Admission
    pairings: Pairings

    async def check(self, event: MessageReceived, policy: Policy) -> None:
        """Ask again when the turn runs: rights may have gone since the message came."""
        person = event.payer
        if self.admission.may_talk(event.conversation, person, private=event.private):
            return
        if not event.private or policy.access.dm_policy != "pairing":
            raise Declined(sentences.NOT_HERE)
        code = await self.pairings.knock(str(person), str(event.conversation), valid_s=CODE_S)
        sentence = sentences.STRANGER if code else sentences.NO_CODES
        raise Declined(sentence.format(person=person, code=code))
