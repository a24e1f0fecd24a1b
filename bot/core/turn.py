"""A turn: the whole journey of a message, from its lane to its answer."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core import sentences
from bot.core.attachments import Attachments
from bot.core.checks import Check
from bot.core.composing import Given
from bot.core.draft import Draft
from bot.core.ears import spoken
from bot.core.grounding import Grounding
from bot.core.importing import Importing
from bot.core.journal import Answered, TurnJournal, address
from bot.core.knowledge.unanswered import Unanswered
from bot.core.memory import Summarising
from bot.core.metrics import Metrics
from bot.core.moderation.moderation import Moderation
from bot.core.notice import FirstContact
from bot.core.policies import Policies
from bot.core.routing import Routing
from bot.core.speaking import Speaking
from bot.core.staleness import Staleness
from bot.domain.attachments import Opened, noted
from bot.domain.errors import Declined, OverBudget
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.replies import Button, Finished, Piece, Receipt, Retraction, Text, Usage
from bot.domain.text import display_name
from bot.domain.untrusted import roleless
from bot.ports.platform import Sender
from bot.ports.store import Journal, NewLine, Result, Turn


@dataclass(slots=True, kw_only=True)
class Answering:
    """Answers one message, where it was written."""

    policies: Policies
    staleness: Staleness
    checks: Sequence[Check]
    moderation: Moderation
    attachments: Attachments
    routing: Routing
    importing: Importing
    grounding: Grounding
    speaking: Speaking
    summarising: Summarising
    first: FirstContact
    senders: Mapping[str, Sender]
    journal: Journal
    metrics: Metrics
    offer: Callable[[str], Button | None]  # a button with which a person asks for a person
    unanswered: Unanswered
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
        policy = self.policies.resolve(event.conversation)
        policy = await journal.admit(policy, self.speaking.chains.knows)
        draft = Draft(turn)
        self.drafts[turn.lane] = draft
        try:
            async with aclosing(self._answer(draft, policy, journal)) as reply:
                receipt = await self._deliver(turn, reply, journal)
        finally:
            del self.drafts[turn.lane]
        if draft.forgotten:
            return await self._take_away(draft.turn, journal)
        await self._noted(event, policy, journal)
        if event.conversation.thread:
            self.policies.joined.add(turn.lane)
        result = _result(draft.turn, journal, receipt)
        self.metrics.broken += bool(draft.ended and draft.ended.reason == "interrupted")
        return replace(result, then=lambda: self.summarising.consider(draft.turn, policy))

    async def _answer(
        self, draft: Draft, policy: Policy, journal: TurnJournal
    ) -> AsyncGenerator[Piece, None]:
        """Say the answer; when the question changes meanwhile, take it back and begin anew."""
        if draft.turn.steps.get("stopped"):
            draft.stop()
        while True:
            draft.begin()
            journal.trace.begin()
            journal.trace.note("persona", policy.persona)
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
        written = event.words
        text, ending, kept = "", Finished(), True
        try:
            for check in self.checks:
                await check.check(event, policy)
            event, policy, given = await self._prepared(draft, policy, journal)
            words = self.speaking.words(event, policy, draft, journal, given)
            async with aclosing(self.moderation.screened(words, turn, event, policy)) as shown:
                async for piece in shown:
                    text = "" if isinstance(piece, Retraction) else text + piece
                    if isinstance(piece, Retraction):
                        journal.trace.note("taken_back", True)
                    yield piece if isinstance(piece, Retraction) else Text(piece)
            if draft.ended:
                ending = Finished(reason=draft.ended.reason, usage=draft.ended.usage)
            rest = _closing(text, ending)
        except Declined as refusal:
            ending = Finished(reason="declined", buttons=refusal.buttons)
            rest = _after(text, refusal.sentence)
            # The question of a model that failed is kept for `retry`, a stranger's is not.
            kept = bool(draft.asked) and not isinstance(refusal, OverBudget)
        declined = ending.reason == "declined"
        answered = Answered(
            text=text + rest,
            reason=ending.reason,
            usage=ending.usage,
            revision=turn.revision,
            remembered=kept and bool(policy.memory.retention_days),
            asked=event.words if event.words != written else "",
            buttons=(*ending.buttons, *self._offers(event, ending)),
            sources="" if declined else draft.citing.below(),
            note="" if declined else self.first.below(event, policy),
        )
        if rest or answered.below:
            yield Text(rest + _after(answered.text, answered.below))
        yield answered

    async def _prepared(
        self, draft: Draft, policy: Policy, journal: TurnJournal
    ) -> tuple[MessageReceived, Policy, Given]:
        """Do all that comes before the first word: judge, open, route, read back, look up."""
        turn, event = draft.turn, _message(draft.turn)
        event = await self.moderation.admitted(turn, event, policy, journal)
        event, files = await self._opened(event, policy, draft, journal)
        policy = await self.routing.routed(event, policy, draft, journal)
        await self.importing.imported(turn, event, policy, journal)
        grounds = await self.grounding.grounds(event, policy, draft, journal)
        files = files if self._sees(policy) else self.attachments.unseen(files)
        return event, policy, Given(files, grounds)

    async def _opened(
        self, event: MessageReceived, policy: Policy, draft: Draft, journal: TurnJournal
    ) -> tuple[MessageReceived, tuple[Opened, ...]]:
        """Open the files of a message, and judge them; what a model cannot see is only judged.

        A recording alone becomes the words of the message.
        """
        if not event.attachments:
            return event, ()
        sees = self._sees(policy)
        opening = self.attachments.opened(
            event, journal, policy, pictures=sees or self.moderation.looks(policy)
        )
        opened = await draft.prepare(opening) or ()
        files = await self.moderation.enclosed(draft.turn, opened, policy, journal)
        return spoken(event, files if sees else self.attachments.unseen(files))

    def _sees(self, policy: Policy) -> bool:
        """Tell whether a model that may answer is shown pictures."""
        return bool(self.speaking.chains.used(policy) & self.attachments.seeing)

    def _offers(self, event: MessageReceived, ending: Finished) -> tuple[Button, ...]:
        """Offer a way to a person where the model does not know."""
        button = self.offer(str(event.author)) if ending.reason == "unsure" else None
        return (button,) if button else ()

    async def _show(self, turn: Turn, journal: TurnJournal) -> Result:
        """Say again what an earlier attempt has stored; it costs nothing."""
        answered = journal.answered
        if answered is None:
            raise RuntimeError("there is nothing to show")
        receipt = await self._deliver(turn, _whole(answered), journal)
        event = _message(turn)
        await self._noted(event, self.policies.resolve(event.conversation), journal)
        return _result(turn, journal, receipt)

    async def _noted(self, event: MessageReceived, policy: Policy, journal: TurnJournal) -> None:
        """Note that somebody who was answered knows what is kept."""
        if journal.answered and journal.answered.reason != "declined":
            await self.first.answered(event, policy, journal.answered.note)

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
        receipt = await sender.deliver(address(turn), reply, journal.outbox)
        draft = self.drafts.get(turn.lane)
        now = draft.turn if draft else turn
        if not (now.steps.get("forgotten") or (draft and draft.forgotten)):
            await self.unanswered.heard(now, journal)
        return receipt


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
        text=roleless(noted(answered.asked or event.words, event.attachments)),
        person=str(event.author),
        name="" if event.private else display_name(event.author.name or event.author.user),
        message=event.message,
    )
    declined = answered.reason == "declined"
    lines = (asked,) if declined else (asked, NewLine(role="assistant", text=answered.bare))
    return Result(
        outcome="declined" if declined else "done",
        lines=lines if answered.remembered else (),
        receipt=receipt,
        revision=answered.revision,
        trace=_traced(answered, journal),
    )


def _traced(answered: Answered, journal: TurnJournal) -> Mapping[str, Any]:
    """Return how an answer came about, also one that an earlier attempt has written."""
    usage: Usage | Mapping[str, Any] = answered.usage if answered.usage.model else {}
    return {**answered.trace, "reason": answered.reason, "usage": usage, **journal.trace.times}


async def _whole(answered: Answered) -> AsyncGenerator[Piece, None]:
    if answered.text:
        yield Text(answered.text + _after(answered.text, answered.below))
    yield answered.finished


def _closing(text: str, ending: Finished) -> str:
    if ending.reason in ("complete", "unsure") and not text.strip():
        return sentences.EMPTY
    return _after(text, sentences.ENDINGS.get(ending.reason, ""))


def _after(text: str, sentence: str) -> str:
    """Return what to add to a text so that a sentence stands below it."""
    return f"\n\n{sentence}" if text and sentence else sentence
