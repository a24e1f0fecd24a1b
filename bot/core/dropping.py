"""Files that an admin sends with the word "learn": they go on the shelves, and no model is asked.

The rule is the same on every platform, since not all of them have commands that carry files: a
message to the bot with files, whose words are `learn`, or `learn: COLLECTION`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core import sentences
from bot.core.announcing import Announcing
from bot.core.attachments import Attachments
from bot.core.commands.learning import read
from bot.core.dispatcher import saying
from bot.core.journal import TurnOutbox, address
from bot.core.knowledge.teaching import Teacher, Teaching
from bot.core.permissions import Permissions
from bot.domain.errors import DeliveryError, FileRefused
from bot.domain.events import Announced, Attachment, MessageReceived
from bot.domain.permissions import at_least
from bot.domain.text import safe_name
from bot.ports.platform import Sender
from bot.ports.store import Journal, Result, Turn

WORDS = re.compile(r"(?i)\s*/?learn(?: this)?(?:\s*:\s*(\w(?:[\w.-]{0,62}\w)?))?[.!]?\s*")
KEPT = "learned"  # the step of the journal


@dataclass(slots=True, kw_only=True)
class Dropping:
    """Takes files in that admins drop into a chat."""

    teaching: Teaching
    attachments: Attachments
    permissions: Permissions
    announcing: Announcing
    senders: Mapping[str, Sender]
    journal: Journal

    async def take(self, turn: Turn) -> Result | None:
        """Learn the files of a message; None when it is to be answered as usual."""
        event = turn.event
        if not isinstance(event, MessageReceived) or not event.attachments:
            return None
        asked = WORDS.fullmatch(event.words)
        if asked is None or turn.steps.get("forgotten"):
            return None
        role = self.permissions.role_of(str(event.payer)) or "guest"
        if event.payer.bot or not at_least(role, "admin"):
            await self._decline(event)
            return None
        said = turn.steps.get(KEPT)
        if said is None:
            collection = self.teaching.named(asked[1] or "")
            said = "\n".join([await self._learned(event, file, collection)
                              for file in event.attachments[: self._most]])  # fmt: skip
            if len(event.attachments) > self._most:
                said += f"\n- {sentences.MANY_FILES.format(most=self._most)}"
            await self.journal.save(turn, KEPT, said)
        sender = self.senders[event.conversation.platform]
        receipt = await sender.deliver(
            address(turn), saying(str(said)), TurnOutbox(self.journal, turn)
        )
        return Result(receipt=receipt, revision=turn.revision)

    @property
    def _most(self) -> int:
        return self.attachments.settings.max_files

    async def _learned(self, event: MessageReceived, file: Attachment, collection: str) -> str:
        """Learn one file; returns a line about it."""
        by = Teacher(person=str(event.payer), place=event.conversation, private=event.private)
        try:
            fetched = await self.attachments.document(file, event.conversation.platform)
            document, note = await self.teaching.file(by, fetched, collection)
        except FileRefused as refusal:
            return f"- {safe_name(file.name)}: {refusal}"
        except DeliveryError:
            return f"- {safe_name(file.name)}: {sentences.LOST_FILE}"
        return f"- {read(document, note, self.teaching, event.conversation)}"

    async def _decline(self, event: MessageReceived) -> None:
        """Say beside the usual answer that nothing is learned."""
        await self.announcing.say(Announced(
            id=f"not-learned:{event.id}", at=event.at, conversation=event.conversation,
            text=sentences.NOT_LEARNED, author=event.author, private=event.private, hidden=True,
            message=event.message,
        ))  # fmt: skip
