"""What was decided, on record: a line of the audit log, a case, a strike, perhaps a time-out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.core.identity import Identity
from bot.core.moderation.alerting import Alerting
from bot.core.permissions import Permissions
from bot.domain.conversation import Conversation, Person
from bot.domain.events import MessageReceived
from bot.domain.moderation import Decision, Findings, Stage
from bot.domain.permissions import at_least
from bot.ports.cases import Case, Cases, Penalties, Recorded, StrikeRule, Timeout
from bot.ports.people import Audit, Record

Part = Literal["words", "files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a decision is about."""

    event: MessageReceived
    revision: int
    stage: Stage
    evidence: str = field(repr=False)
    part: Part = "words"  # of the message

    @property
    def key(self) -> str:
        """What names the case of this matter: there is one, however often it is judged."""
        mark = "" if self.part == "words" else f":{self.part}"
        return f"{self.event.id}#{self.revision}{mark}"


@dataclass(slots=True, kw_only=True)
class Casebook:
    """Keeps people under a keyed hash; their words only while a case is open."""

    cases: Cases
    penalties: Penalties
    audit: Audit
    identity: Identity
    permissions: Permissions
    alerting: Alerting
    rule: StrikeRule
    now: Callable[[], float]  # seconds since 1970
    _timeouts: dict[str, Timeout] = field(default_factory=dict)  # by keyed hash

    async def load(self) -> None:
        """Read who is in a time-out."""
        self._timeouts = dict(await self.penalties.timeouts(now=self.now()))

    async def timeout(self, person: Person, place: Conversation) -> Timeout | None:
        """Return the time-out that a person is in, as it was before they are told of it now."""
        if not self._timeouts:
            return None
        who = self.identity.who(str(person))
        found = self._timeouts.get(who)
        if found is None or self._steers(person, place):
            return None
        if found.until <= self.now():
            del self._timeouts[who]
            return None
        if not found.told:
            self._timeouts[who] = Timeout(until=found.until, told=True)
            await self.penalties.tell(who)
        return found

    def spell(self, who: str, timeout: Timeout | None) -> None:
        """Begin or end a time-out in memory."""
        if timeout is None:
            self._timeouts.pop(who, None)
        else:
            self._timeouts[who] = timeout

    async def open(self, matter: Matter, decision: Decision) -> Recorded:
        """Record a decision that is carried out."""
        event = matter.event
        who = self.identity.who(str(event.author))
        strikes = (
            decision.punishes
            and matter.stage == "inbound"
            and not self._steers(event.author, event.conversation)
        )
        case = Case(
            event=matter.key,
            stage=matter.stage,
            at=self.now(),
            who=who,
            person=str(event.author),
            lane=str(event.conversation),
            message=event.message,
            private=event.private,
            action=decision.action,
            findings=told(decision.findings),
            evidence=matter.evidence,
        )
        note = self._note(matter, decision.action, f"enforce: {case.findings}")
        recorded = await self.cases.record(case, self.rule if strikes else None, note)
        if recorded.timeout:
            self.spell(who, Timeout(until=recorded.timeout.until, told=True))
            await self.penalties.tell(who)
        if recorded.new:
            await self.alerting.tell(who)
        return recorded

    async def note(self, matter: Matter, action: str, details: str) -> None:
        """Write down what has no consequences."""
        await self.audit.note(self._note(matter, action, details))

    def _note(self, matter: Matter, action: str, details: str) -> Record:
        return Record(
            at=self.now(),
            actor="parley",
            action=f"moderation.{action}",
            subject=str(matter.event.author),
            place=str(matter.event.conversation),
            details=f"{matter.stage} {details}",
        )

    def _steers(self, person: Person, place: Conversation) -> bool:
        return at_least(self.permissions.role(person, place), "moderator")


def told(findings: Findings) -> str:
    """Write findings for people and for the audit log: never a word of the text."""
    return ", ".join(f"{f.category} {f.score:.2f} ({f.guard})" for f in findings)
