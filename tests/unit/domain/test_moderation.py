"""What findings deserve: pure rules, values in and out."""

import pytest

from bot.domain.moderation import Decision, Finding, Rule, decide, redacted
from bot.domain.policy import ModerationPolicy


def finding(category="hate", score=0.9, guard="openai", **changes):
    return Finding(category=category, score=score, guard=guard, **changes)


def decided(*findings, **policy):
    return decide(findings, ModerationPolicy(**policy).rule)


def test_nothing_found_is_allowed():
    assert decided() == Decision()


@pytest.mark.parametrize(
    ("score", "threshold", "action"),
    [(0.5, 0.5, "block"), (0.49, 0.5, "allow"), (0.01, 0.0, "block"), (1.0, 1.0, "block")],
)
def test_a_finding_counts_from_its_threshold_on(score, threshold, action):
    assert decided(finding(score=score), threshold=threshold).action == action


def test_the_strictest_action_wins_and_the_weightiest_finding_stands_first():
    rules = {"hate": Rule(action="flag"), "threat": Rule(action="redact", threshold=0.2)}
    flagged, redacts, allowed = (
        finding("hate", 0.99),
        finding("threat", 0.3),
        finding("sexual", 0.9),
    )

    decision = decided(flagged, allowed, redacts, categories=rules, on_flag="allow")

    assert decision == Decision(action="redact", findings=(redacts, flagged))


@pytest.mark.parametrize(
    ("guard", "severe", "action", "punishes"),
    [("openai", False, "block", True), ("judge", False, "block", True),
     ("offline", False, "flag", False), ("offline", True, "block", False)],
)  # fmt: skip
def test_what_is_found_offline_blocks_only_when_severe_and_never_punishes(
    guard, severe, action, punishes
):
    decision = decided(finding(guard=guard, severe=severe))

    assert (decision.action, decision.punishes) == (action, punishes)


def test_offline_and_remote_together_punish():
    decision = decided(finding(guard="offline", severe=True, score=1.0), finding(score=0.6))

    assert (decision.action, decision.punishes) == ("block", True)


def test_only_a_block_punishes():
    assert not decided(finding(), on_flag="redact").punishes


def test_spans_are_taken_out_and_overlaps_once():
    assert redacted("0123456789", (finding(spans=((2, 4),)),)) == "01[…]456789"
    assert redacted("0123456789", (finding(spans=((2, 6), (4, 8))),)) == "01[…]89"


def test_without_spans_nothing_stays():
    assert redacted("all of it", (finding(spans=((0, 3),)), finding())) == "[…]"
