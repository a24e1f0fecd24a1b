"""Strangers in direct messages hear how to be let in; nobody else hears anything."""

from typing import Protocol

from bot.core import sentences
from bot.core.admission import Admission
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy


class Check(Protocol):
    """One condition of answering."""

    def check(self, event: MessageReceived, policy: Policy) -> None:
        """Raise Declined when the message is not to be answered."""
        ...


class Access:
    """The person may talk to the bot here."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def check(self, event: MessageReceived, policy: Policy) -> None:  # noqa: ARG002
        """Ask again when the turn runs: rights may have gone since the message came."""
        if not self._admission.may_talk(event.conversation, event.author, private=event.private):
            raise Declined(sentences.STRANGER.format(person=event.author))
