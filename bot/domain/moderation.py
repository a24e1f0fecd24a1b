"""What guards find in a text, and what the operator wants done about it: pure rules.

A guard only reports findings; `decide` turns them into one action by the policy of the place. The
actions, from the mildest: `allow`, `flag` (noted, a moderator may look), `redact` (the spans are
taken out), `block` (not answered, or taken back).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Category = Literal[
    "toxicity", "harassment", "hate", "threat", "sexual", "minors", "self_harm", "violence",
    "illicit", "injection",
]  # fmt: skip
CATEGORIES: tuple[Category, ...] = (
    "toxicity", "harassment", "hate", "threat", "sexual", "minors", "self_harm", "violence",
    "illicit", "injection",
)  # fmt: skip
Action = Literal["allow", "flag", "redact", "block"]
ACTIONS: tuple[Action, ...] = ("allow", "flag", "redact", "block")
Stage = Literal["inbound", "outbound"]
MARK = "[…]"  # where something was taken out


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a guard is asked to judge: words, pictures, or both."""

    text: str
    stage: Stage = "inbound"
    images: tuple[bytes, ...] = field(default=(), repr=False)
    person: str = ""  # for whom a paid guard is asked, and where
    conversation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One category that a guard sees in a sample, with how sure it is (0 to 1)."""

    category: Category
    score: float
    guard: str  # its name: "offline", "openai", "judge"
    severe: bool = False  # beyond doubt, as a word of the severe list: may be blocked offline
    spans: tuple[tuple[int, int], ...] = ()  # characters of the text, where the guard knows them


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done about one category from a score on."""

    action: Action = "flag"
    threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done, why, and whether it may count against the person."""

    action: Action = "allow"
    findings: Findings = ()  # those that reached their threshold, the weightiest first
    punishes: bool = False  # offline findings never do by themselves


def decide(findings: Findings, rule: Callable[[Category], Rule]) -> Decision:
    """Choose the strictest action that the findings deserve.

    A finding of the offline guard blocks only if it is severe, and never punishes.
    """
    reached = [
        (_action(finding, rule(finding.category)), finding)
        for finding in findings
        if finding.score >= rule(finding.category).threshold
    ]
    reached = [pair for pair in reached if pair[0] != "allow"]
    if not reached:
        return Decision()
    reached.sort(key=lambda pair: (ACTIONS.index(pair[0]), pair[1].score), reverse=True)
    action = reached[0][0]
    return Decision(
        action=action,
        findings=tuple(finding for _, finding in reached),
        punishes=any(a == "block" and f.guard != "offline" for a, f in reached),
    )


def _action(finding: Finding, rule: Rule) -> Action:
    if finding.guard == "offline" and rule.action == "block" and not finding.severe:
        return "flag"
    return rule.action


def redacted(text: str, findings: Findings) -> str:
    """Take the spans of findings out of a text; without spans nothing of it stays."""
    if any(not finding.spans for finding in findings):
        return MARK
    spans = sorted({span for finding in findings for span in finding.spans})
    kept, at = [], 0
    for start, end in spans:
        if start >= at:
            kept += [text[at:start], MARK]
        at = max(at, end)
    return "".join((*kept, text[at:]))
