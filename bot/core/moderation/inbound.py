"""What is said to the bot: judged before the model is asked, and once, whatever is killed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.core import sentences
from bot.core.journal import TurnJournal
from bot.core.moderation.casebook import Casebook, Matter
from bot.core.moderation.decisions import Decisions, to_redact
from bot.core.moderation.judging import Ruling
from bot.core.moderation.samples import cleaned, files_without, judged_text, without
from bot.domain.attachments import Opened
from bot.domain.errors import Declined
from bot.domain.events import Announced, MessageReceived
from bot.domain.moderation import Decision, Finding, Findings, Sample
from bot.domain.policy import ModerationPolicy, Policy
from bot.domain.replies import Button
from bot.domain.text import visible
from bot.ports.cases import Case, Timeout
from bot.ports.store import Turn

SEEING = "openai"  # the guard that can look at pictures
EVIDENCE = 4_000  # characters of files that moderators are shown


@dataclass(slots=True, kw_only=True)
class Inbound:
    """Admits messages."""

    decisions: Decisions
    casebook: Casebook

    async def admitted(
        self, turn: Turn, event: MessageReceived, policy: Policy, journal: TurnJournal
    ) -> MessageReceived:
        """Return a message as it may be answered and remembered.

        Raises:
            Declined: it is not answered; its sentence and buttons say why and what can be done.
        """
        timeout = await self.casebook.timeout(event.payer, event.conversation)
        if timeout:
            raise await self._refusal(turn, event, "" if timeout.told else _until(timeout))
        rules = policy.moderation
        if not (rules.inbound and rules.guards):
            return event
        event = cleaned(event)
        matter = Matter(
            event=event, revision=turn.revision, stage="inbound", evidence=judged_text(event)
        )
        sample = Sample(text=matter.evidence, person=str(event.author), conversation=turn.lane)
        ruling = await self._ruling(turn, matter, sample, rules, journal)
        if await self.decisions.holds(matter, ruling, rules):
            return without(event, await self._carried_out(turn, matter, ruling.decision, rules))
        return event

    def looks(self, policy: Policy) -> bool:
        """Tell whether pictures are judged here."""
        return policy.moderation.inbound and SEEING in policy.moderation.guards

    async def enclosed(
        self, turn: Turn, files: Sequence[Opened], policy: Policy, journal: TurnJournal
    ) -> tuple[Opened, ...]:
        """Return files as they may be shown to a model: judged like the words, and once.

        Raises:
            Declined: the message is not answered because of them.
        """
        event, rules = turn.event, policy.moderation
        known = any(file.text or file.image for file in files)
        if not (known and rules.inbound and rules.guards and isinstance(event, MessageReceived)):
            return tuple(files)
        files = tuple(replace(file, text=visible(file.text)) for file in files)
        said = "\n".join(file.text for file in files)
        matter = Matter(
            event=event, revision=turn.revision, stage="inbound", evidence=said[:EVIDENCE],
            part="files",
        )  # fmt: skip
        seen = tuple(file.image.data for file in files if file.image) if self.looks(policy) else ()
        sample = Sample(text=said, images=seen, person=str(event.author), conversation=turn.lane)
        ruling = await self._ruling(turn, matter, sample, rules, journal)
        if await self.decisions.holds(matter, ruling, rules):
            found = await self._carried_out(turn, matter, ruling.decision, rules)
            return files_without(files, found)
        return files

    async def _ruling(
        self,
        turn: Turn,
        matter: Matter,
        sample: Sample,
        rules: ModerationPolicy,
        journal: TurnJournal,
    ) -> Ruling:
        known = _read(journal.judged(turn, matter.part))
        ruling = known or await self.decisions.ruling(matter, sample, rules)
        if not known:
            journal.judge(turn, matter.part, asdict(ruling))
        journal.trace.add("moderation", _noted(matter, ruling))
        return ruling

    async def _carried_out(
        self, turn: Turn, matter: Matter, decision: Decision, rules: ModerationPolicy
    ) -> Findings:
        """Record a decision; return what is to be taken out of what was judged.

        Raises:
            Declined: nothing of it is answered.
        """
        recorded = await self.casebook.open(matter, decision)
        if decision.action == "block":
            sentence = sentences.UNANSWERED
            if recorded.timeout:
                sentence = f"{sentence} {_until(recorded.timeout)}"
            raise await self._refusal(turn, matter.event, sentence, recorded.case)
        return to_redact(decision, rules)

    async def _refusal(
        self, turn: Turn, event: MessageReceived, sentence: str, case: Case | None = None
    ) -> Declined:
        """Say it to the person alone, as far as the platform can; return what ends the turn."""
        alerting = self.casebook.alerting
        buttons: tuple[Button, ...] = alerting.appeal_button(case) if case else ()
        if event.private or not sentence:
            return Declined(sentence, buttons)
        await alerting.announcing.say(Announced(
            id=f"moderation:{event.id}#{turn.revision}", at=event.at, text=sentence,
            conversation=event.conversation, buttons=buttons, author=event.author, hidden=True,
            message=event.message,
        ))  # fmt: skip
        return Declined("")


def _noted(matter: Matter, ruling: Ruling) -> Mapping[str, Any]:
    """Return what `/why` says of a ruling: no words, only what they were found to be."""
    found = [f"{one.category} {one.score:.2f} by {one.guard}" for one in ruling.decision.findings]
    noted: dict[str, Any] = {"part": matter.part, "action": ruling.decision.action}
    return (
        noted
        | ({"found": found} if found else {})
        | ({"could not tell": list(ruling.failed)} if ruling.failed else {})
    )


def _read(step: Mapping[str, Any] | None) -> Ruling | None:
    """Read back what an earlier attempt has journaled."""
    if step is None:
        return None
    found = [
        Finding(**{**raw, "spans": tuple((start, end) for start, end in raw["spans"])})
        for raw in step["decision"]["findings"]
    ]
    decision = Decision(**{**step["decision"], "findings": tuple(found)})
    return Ruling(decision=decision, failed=tuple(step["failed"]))


def _until(timeout: Timeout) -> str:
    clock = datetime.fromtimestamp(timeout.until, UTC).strftime("%Y-%m-%d %H:%M")
    return sentences.IN_TIMEOUT.format(until=clock)
