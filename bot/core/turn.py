"""A turn: the whole journey of a message, from its lane to its answer."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.checks import Check
from bot.core.draft import Draft
from bot.core.journal import Answered, TurnJournal, address
from bot.core.metrics import Metrics
from bot.core.policies import Policies
from bot.core.speaking import Speaking
from bot.core.staleness import Staleness
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.replies import Finished, Piece, Receipt, Retraction, Text
from bot.domain.text import display_name
from bot.ports.platform import Sender
from bot.ports.store import Journal, NewLine, Result, Turn


@dataclass(slots=True, kw_only=True)
class Answering:
    """Answers one message, where it was written."""

    policies: Policies
    staleness: Staleness
    checks: Sequence[Check]
    speaking: Speaking
    senders: Mapping[str, Sender]
    journal: Journal
    metrics: Metrics
    drafts: dict[str, Draft] = field(default_factory=dict)  # answers being written, by lane

    def stop_all(self) -> None:
        """End every running answer as it stands."""
        for draft in self.drafts.values():
            draft.stop()

    async def take(self, turn: Turn) -> Result:
        """Read this from top to bottom: it is what happens to a message."""
        began = time.monotonic()
        see = self.metrics.first_visible_seconds.observe
        journal = TurnJournal(self.journal, turn, lambda: see(time.monotonic() - began))
        if turn.steps.get("forgotten"):
            return await self._take_away(turn, journal)
        if journal.answered:
            return await self._show(turn, journal)
        instead = self.staleness.judge(turn)
        if instead is not None:
            return await self._leave(turn, journal, instead)
        event = _message(turn)
        policy = journal.admit(self.policies.resolve(event.conversation), self.speaking.models)
        draft = Draft(turn)
        self.drafts[turn.lane] = draft
        try:
            async with aclosing(self._answer(draft, policy, journal)) as reply:
                receipt = await self._deliver(turn, reply, journal)
        finally:
            del self.drafts[turn.lane]
            if journal.answered is None:  # cut short: the words so far were paid for
                self._charge(journal, Finished(usage=draft.estimate()))
        if draft.forgotten:
            return await self._take_away(draft.turn, journal)
        if event.conversation.thread:
            self.policies.joined.add(turn.lane)
        return _result(draft.turn, journal, receipt)

    async def _answer(
        self, draft: Draft, policy: Policy, journal: TurnJournal
    ) -> AsyncGenerator[Piece, None]:
        """Say the answer; when the question changes meanwhile, take it back and begin anew."""
        if draft.turn.steps.get("stopped"):
            draft.stop()
        while True:
            draft.begin()
            answer = Answered(text="", reason="declined")
            async with aclosing(self._say(draft, policy, journal)) as said:
                async for piece in said:
                    if isinstance(piece, Answered):
                        answer = piece
                    else:
                        yield piece
            if not draft.outdated:
                await journal.answer(answer)
            if not draft.outdated:
                yield answer.finished
                return
            yield Retraction("")
            if draft.forgotten:
                yield Finished(reason="stopped")
                return

    async def _say(
        self, draft: Draft, policy: Policy, journal: TurnJournal
    ) -> AsyncGenerator[Piece | Answered, None]:
        """Yield the words, and at last the answer as it is journaled."""
        turn, event = draft.turn, _message(draft.turn)
        text, ending = "", Finished()
        try:
            for check in self.checks:
                check.check(event, policy)
            async with aclosing(self.speaking.words(event, policy, journal, draft)) as words:
                async for piece in words:
                    text += piece
                    yield Text(piece)
            if draft.ended:
                ending = Finished(reason=draft.ended.reason, usage=draft.ended.usage)
            rest = _closing(text, ending)
        except Declined as refusal:
            ending = Finished(reason="declined")
            rest = _after(text, refusal.sentence)
        if rest:
            yield Text(rest)
        self._charge(journal, ending)
        yield Answered(
            text=text + rest,
            reason=ending.reason,
            usage=ending.usage,
            revision=turn.revision,
            # The question of a model that failed is kept for `retry`, a stranger's is not.
            remembered=ending.reason != "declined" or bool(draft.asked),
        )

    async def _show(self, turn: Turn, journal: TurnJournal) -> Result:
        """Say again what an earlier attempt has stored; it costs nothing."""
        answered = journal.answered
        if answered is None:
            raise RuntimeError("there is nothing to show")
        receipt = await self._deliver(turn, _whole(answered), journal)
        return _result(turn, journal, receipt)

    async def _leave(self, turn: Turn, journal: TurnJournal, sentence: str) -> Result:
        """Leave a message unanswered that has become too old."""
        if not sentence:
            return Result(outcome="declined", revision=turn.revision)
        answer = Answered(
            text=sentence, reason="declined", revision=turn.revision, remembered=False
        )
        await journal.answer(answer)
        return await self._show(turn, journal)

    async def _take_away(self, turn: Turn, journal: TurnJournal) -> Result:
        """Delete what was shown of an answer whose question was deleted."""
        if journal.outbox.known:
            empty = Answered(text="", reason="stopped")
            await self._deliver(turn, _whole(empty), journal)
        return Result(outcome="declined", revision=turn.revision)

    async def _deliver(
        self, turn: Turn, reply: AsyncGenerator[Piece, None], journal: TurnJournal
    ) -> Receipt:
        sender = self.senders[turn.event.conversation.platform]
        return await sender.deliver(address(turn), reply, journal.outbox)

    def _charge(self, journal: TurnJournal, ending: Finished) -> None:
        cost = self.speaking.price(ending.usage)
        journal.charge(ending.usage, cost)
        self.metrics.paid(ending.usage, cost)


def _message(turn: Turn) -> MessageReceived:
    if not isinstance(turn.event, MessageReceived):
        raise TypeError(f"not a message: {type(turn.event).__name__}")
    return turn.event


def _result(turn: Turn, journal: TurnJournal, receipt: Receipt) -> Result:
    answered = journal.answered
    if answered is None:
        raise RuntimeError("a sender ended a reply before it was finished")
    event = _message(turn)
    asked = NewLine(
        role="user",
        text=event.words,
        person=str(event.author),
        name="" if event.private else display_name(event.author.name or event.author.user),
        message=event.message,
    )
    declined = answered.reason == "declined"
    lines = (asked,) if declined else (asked, NewLine(role="assistant", text=answered.text))
    return Result(
        outcome="declined" if declined else "done",
        lines=lines if answered.remembered else (),
        receipt=receipt,
        revision=answered.revision,
    )


async def _whole(answered: Answered) -> AsyncGenerator[Piece, None]:
    if answered.text:
        yield Text(answered.text)
    yield answered.finished


def _closing(text: str, ending: Finished) -> str:
    if ending.reason == "complete" and not text.strip():
        return sentences.EMPTY
    return _after(text, sentences.ENDINGS.get(ending.reason, ""))


def _after(text: str, sentence: str) -> str:
    """Return what to add to a text so that a sentence stands below it."""
    return f"\n\n{sentence}" if text and sentence else sentence
