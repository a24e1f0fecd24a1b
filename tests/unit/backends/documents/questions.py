"""Labelled questions: what people ask a boutique, and what its handbook must not try to answer.

`questions.tsv` has the set, the question and the titles of right entries. The search's words, weights
and thresholds were chosen, and the handbook was worded, with `TUNING` and `OFF_TOPIC`. The held-out
sets were written later and have seen little tuning; whoever tunes next should write new ones.
"""

from pathlib import Path

Labelled = tuple[tuple[str, tuple[str, ...]], ...]

_ROWS = [
    line.split("\t")
    for line in Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
]


def _labelled(name: str) -> Labelled:
    return tuple((row[1], tuple(row[2].split(" | "))) for row in _ROWS if row[0] == name)


def _plain(name: str) -> tuple[str, ...]:
    return tuple(row[1] for row in _ROWS if row[0] == name)


TUNING = _labelled("TUNING")
HELD_OUT = _labelled("HELD_OUT")
OFF_TOPIC = _plain("OFF_TOPIC")
OFF_TOPIC_HELD_OUT = _plain("OFF_TOPIC_HELD_OUT")
