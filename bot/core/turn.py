"""A turn: the whole journey of a message, from its lane to its answer."""

import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.checks import Check
from bot.core.composing import Composing
from bot.core.draft import Draft
from bot.core.journal import TurnJournal
from bot.core.policies import Policies
from bot.domain.conversation import Address
from bot.domain.errors import ContextTooLong, Declined, ModelError, ModelRefused
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.replies import Finished, Piece, Receipt, Text, Usage
from bot.domain.text import display_name
from bot.ports.model import Model
from bot.ports.platform import Sender
from bot.ports.store import Journal, NewLine, Result, Turn

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Answering:
    """Answers one message, where it was written."""

    policies: Policies
    checks: Sequence[Check]
    composing: Composing
    models: Mapping[str, Model]
    senders: Mapping[str, Sender]
    journal: Journal
    price: Callable[[Usage], float]
    timeout_s: float
    rooms: Mapping[str, int] = field(default_factory=dict)  # tokens of prompt by model, if limited
    drafts: dict[str, tuple[Turn, Draft]] = field(default_factory=dict)  # by lane

    def stop_all(self) -> None:
        """End every running answer as it stands."""
        for _, draft in self.drafts.values():
            draft.stop()

    async def take(self, turn: Turn) -> Result:
        """Read this from top to bottom: it is what happens to a message."""
        event = turn.event
        if not isinstance(event, MessageReceived):
            raise TypeError(f"not a message: {type(event).__name__}")
        journal = TurnJournal(self.journal, turn)
        policy = journal.admit(self.policies.resolve(event.conversation), self.models)
        draft = Draft()
        self.drafts[turn.lane] = (turn, draft)
        try:
            async with aclosing(self._answer(turn, event, policy, journal, draft)) as reply:
                sender = self.senders[event.conversation.platform]
                receipt = await sender.deliver(address(turn), reply, journal.outbox)
        finally:
            del self.drafts[turn.lane]
            if journal.answered is None:  # cut short: the words so far were paid for
                journal.charge(draft.estimate(), self.price(draft.estimate()))
        if event.conversation.thread:
            self.policies.joined.add(turn.lane)
        return self._result(event, journal, receipt, draft)

    async def _answer(
        self, turn: Turn, event: MessageReceived, policy: Policy, journal: TurnJournal, draft: Draft
    ) -> AsyncGenerator[Piece, None]:
        if journal.answered:  # a resumed turn says the same words again, and pays for nothing
            yield Text(journal.answered.text)
            yield journal.answered.finished
            return
        text, ending = "", Finished()
        try:
            if turn.steps.get("stopped"):
                draft.stop()
            for check in self.checks:
                check.check(event, policy)
            async with aclosing(self._words(turn, event, policy, draft)) as words:
                async for piece in words:
                    text += piece
                    yield Text(piece)
            if draft.ended:
                ending = Finished(reason=draft.ended.reason, usage=draft.ended.usage)
        except Declined as refusal:
            ending = Finished(reason="declined")
            rest = _after(text, refusal.sentence)[len(text) :]
            text += rest
            yield Text(rest)
        closing = _closing(text, ending)
        if closing:
            text += closing
            yield Text(closing)
        journal.charge(ending.usage, self.price(ending.usage))
        yield await journal.answer(text, ending.reason, ending.usage)

    async def _words(
        self, turn: Turn, event: MessageReceived, policy: Policy, draft: Draft
    ) -> AsyncGenerator[str, None]:
        model = self.models[policy.model]
        budget, noted = self._budget(policy), False
        for last in (False, True):  # a prompt that is too long is halved, once
            composed = await self.composing.compose(turn, event, policy, budget=budget)
            budget = min(budget // 2, composed.half)
            if composed.note and not noted:
                noted = True
                yield composed.note
            draft.asks(policy.model, composed.prompt)
            try:
                async with aclosing(
                    draft.words(model.stream(composed.prompt), self.timeout_s)
                ) as words:
                    async for piece in words:
                        yield piece
            except ContextTooLong as error:
                log.warning("%s: %s", turn.lane, error)
                if last:
                    raise Declined(sentences.TOO_LONG) from error
            except ModelError as error:
                raise _apology(turn, error) from error
            else:
                return

    def _budget(self, policy: Policy) -> int:
        """Return the tokens for memory and question: the policy's, or what the model has left."""
        room = self.rooms.get(policy.model)
        if room is None:
            return policy.memory.max_tokens
        return min(policy.memory.max_tokens, max(room - len(policy.system_prompt.encode()), 0))

    def _result(
        self, event: MessageReceived, journal: TurnJournal, receipt: Receipt, draft: Draft
    ) -> Result:
        answered = journal.answered
        if answered is None:
            raise RuntimeError("a sender ended a reply before it was finished")
        asked = NewLine(
            role="user",
            text=event.text,
            person=str(event.author),
            name="" if event.private else display_name(event.author.name or event.author.user),
            message=event.message,
        )
        said = NewLine(role="assistant", text=answered.text)
        declined = answered.reason == "declined"
        lines: tuple[NewLine, ...] = (asked, said)
        if declined:  # the question of a model that failed is kept for `retry`, a stranger's is not
            lines = (asked,) if draft.asked else ()
        return Result(
            outcome="declined" if declined else "done",
            lines=() if draft.forgotten else lines,
            receipt=receipt,
        )


def address(turn: Turn) -> Address:
    """Say where the reply to a turn goes; the key is the same for every attempt."""
    event = turn.event
    author = getattr(event, "author", None)
    return Address(
        conversation=event.conversation,
        answers=getattr(event, "message", ""),
        person=author.user if author else "",
        private=getattr(event, "private", False),
        hidden=event.track == "control",
        reply_via=getattr(event, "reply_via", ""),
        key=reference_of(event.id, size=20),
    )


def reference_of(event_id: str, *, size: int = 6) -> str:
    """Name an event in few letters, for people and for platforms' idempotency keys."""
    return hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()[:size]


def _apology(turn: Turn, error: ModelError) -> Declined:
    """Tell the operator what is wrong, and the person what to do; one reference joins the two."""
    reference = reference_of(turn.event.id)
    log.error("%s: reference %s: %s", turn.lane, reference, error)
    refused = isinstance(error, ModelRefused)
    sentence = sentences.MODEL_REFUSED if refused else sentences.MODEL_DOWN
    return Declined(sentence.format(reference=reference))


def _closing(text: str, ending: Finished) -> str:
    if ending.reason == "complete" and not text.strip():
        return sentences.EMPTY
    return _after(text, sentences.ENDINGS.get(ending.reason, ""))[len(text) :]


def _after(text: str, sentence: str) -> str:
    return f"{text}\n\n{sentence}" if text and sentence else text + sentence
