"""What the bot says: each part of an answer is judged before it is shown."""

import re
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.moderation.casebook import Casebook, Matter
from bot.core.moderation.decisions import Decisions, to_redact
from bot.core.moderation.judging import Ruling
from bot.core.moderation.samples import within
from bot.domain.errors import Declined
from bot.domain.events import MessageReceived
from bot.domain.moderation import MARK, Action, Decision, Sample
from bot.domain.policy import ModerationPolicy
from bot.ports.store import Turn

_WORD = re.compile(r"[^\s`]+")
_MARKS = re.compile(rf"{re.escape(MARK)}(?:[^\S\n]+{re.escape(MARK)})+")


@dataclass(slots=True, kw_only=True)
class Answer:
    """One answer on its way out; each kind of action is recorded once."""

    decisions: Decisions
    casebook: Casebook
    turn: Turn
    event: MessageReceived
    rules: ModerationPolicy
    _known: dict[Action, bool] = field(default_factory=dict)  # whether it is carried out

    async def judged(self, part: str, said: str) -> str:
        """Return what may be shown of a part, given the end of what was said before it.

        Raises:
            Declined: the answer is to be taken back.
        """
        text = said + part
        matter = Matter(
            event=self.event, revision=self.turn.revision, stage="outbound", evidence=text
        )
        sample = Sample(text=text, stage="outbound", person=str(self.event.author),
                        conversation=self.turn.lane)  # fmt: skip
        ruling = await self.decisions.ruling(matter, sample, self.rules)
        action = ruling.decision.action
        if ruling.failed or action not in self._known:
            self._known[action] = await self._recorded(matter, ruling)
        return self._without(part, len(said), ruling.decision) if self._known[action] else part

    async def _recorded(self, matter: Matter, ruling: Ruling) -> bool:
        """Write a decision down, and tell whether it is carried out."""
        if not await self.decisions.holds(matter, ruling, self.rules):
            return False
        recorded = await self.casebook.open(matter, ruling.decision)
        if ruling.decision.action == "block":
            button = self.casebook.alerting.appeal_button(recorded.case)
            raise Declined(sentences.TAKEN_BACK, button)
        return True

    def _without(self, part: str, start: int, decision: Decision) -> str:
        """Take out whole words, and no line end or mark of code: what is left means the same."""
        findings = within(to_redact(decision, self.rules), start, start + len(part))
        spans = [span for finding in findings for span in finding.spans or ((0, len(part)),)]

        def left(word: re.Match[str]) -> str:
            hit = any(a < word.end() and b > word.start() for a, b in spans)
            return MARK if hit else word[0]

        return _MARKS.sub(MARK, _WORD.sub(left, part))
