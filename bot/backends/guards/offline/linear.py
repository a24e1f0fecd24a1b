"""Two linear models over words, in plain Python: what no list of phrases can name.

The toxicity model is alt-profanity-check's, weight by weight: TF-IDF over its vocabulary and five
calibrated linear classifiers, whose probabilities are averaged. The injection model is a logistic
regression over hashed words and pairs of words. `bot.training.guards` makes both files, and uses
the same `features`; NOTICE beside them says where they come from.

Much harmless chat is said with words that abuse is said with, too ("that sucks", "I'm so dumb").
These everyday words, learned from real chat, count only in a text that addresses somebody.
"""

import math
import struct
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).with_name("weights")
TOXICITY, INJECTION = FOLDER / "toxicity.bin", FOLDER / "injection.bin"
EVERYDAY = FOLDER / "everyday.txt"
HOMOGRAPHS = Path(__file__).with_name("phrases") / "homographs.txt"
ADDRESSED = frozenset(("you", "your", "yourself", "youre", "u", "ur"))
COMMON = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being but by
    can could d did do does doing don down each even every few for from get go had has have he her
    here hers him his how i if in into is it its just ll m may me might more most much must my no
    not now of off on once one only or other our out over own part please put re s same see she
    should show so some such system t take than that the their them then there these they this
    those through to too two u under until up ur us ve very was we were what when where which while
    who why will with without would you your yours yourself
    """.split()  # noqa: SIM905 - words read better as text
)
BUCKETS = 1 << 15
MEMBERS = 5  # classifiers that alt-profanity-check averages
_HEAD = struct.Struct("<II")  # words, bytes of their list
_LINE = struct.Struct("<ff")  # slope and intercept of a calibration


def features(words: Sequence[str]) -> set[int]:
    """Return the buckets of the words of a text and of their pairs, its two ends included."""
    found = {crc32(word.encode()) % BUCKETS for word in words}
    found.update(
        crc32(f"{one} {two}".encode()) % BUCKETS for one, two in pairwise(("<", *words, ">"))
    )
    return found


def sigmoid(value: float) -> float:
    """Return the probability of a logit."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))


def packed(numbers: Iterable[float]) -> bytes:
    """Return numbers as halves, in the order of bytes that `unpacked` expects."""
    numbers = list(numbers)
    return struct.pack(f"<{len(numbers)}e", *numbers)


def unpacked(data: bytes) -> Sequence[float]:
    """Return the numbers in packed data."""
    return array("f", struct.unpack(f"<{len(data) // 2}e", data))


@dataclass(frozen=True, slots=True)
class Injection:
    """How much a text reads like an attempt to steer the model."""

    weights: Sequence[float]  # one for each bucket, and the intercept at the end

    def score(self, words: Sequence[str]) -> float:
        """Return the probability that words are an injection."""
        if not words:
            return 0.0
        found = features(words)
        weights = self.weights
        return sigmoid(sum(weights[at] for at in found) / math.sqrt(len(found)) + weights[-1])

    @classmethod
    def load(cls) -> "Injection":
        """Read the model of the package."""
        return cls(unpacked(INJECTION.read_bytes()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity:
    """How much a text reads like abuse."""

    numbers: Mapping[str, int]  # of the words
    rarity: Sequence[float]  # their inverse document frequency
    members: Sequence[Sequence[float]]  # for each classifier, a weight for each word
    lines: Sequence[tuple[float, float]]  # and the line that makes a logit of their sum
    everyday: frozenset[int] = frozenset()  # numbers of words

    def score(self, words: Collection[str]) -> float:
        """Return the probability that words are abusive; without everyday words, the original's."""
        counts = Counter(at for word in words if (at := self.numbers.get(word)) is not None)
        values = [(at, count * self.rarity[at]) for at, count in counts.items()]
        norm = math.sqrt(sum(value * value for _, value in values)) or 1.0
        if ADDRESSED.isdisjoint(words):
            values = [(at, value) for at, value in values if at not in self.everyday]
        return sum(
            sigmoid(slope * sum(weights[at] * value for at, value in values) / norm + intercept)
            for weights, (slope, intercept) in zip(self.members, self.lines, strict=True)
        ) / len(self.lines)

    def reads(self, words: Collection[str]) -> bool:
        """Return whether at least half of the words are English ones."""
        return 2 * sum(word in self.numbers or word in COMMON for word in words) >= len(words)

    def pack(self) -> bytes:
        """Return the model as the file that `load` reads."""
        words = "\n".join(self.numbers).encode()
        return b"".join((
            _HEAD.pack(len(self.numbers), len(words)), words,
            packed(self.rarity), *(packed(weights) for weights in self.members),
            *(_LINE.pack(*line) for line in self.lines),
        ))  # fmt: skip

    @classmethod
    def load(cls) -> "Toxicity":
        """Read the model of the package."""
        model = cls.unpack(TOXICITY.read_bytes())
        everyday = frozenset(model.numbers[word] for word in _listed(EVERYDAY))
        foreign = set(_listed(HOMOGRAPHS))
        numbers = {word: at for word, at in model.numbers.items() if word not in foreign}
        return replace(model, numbers=numbers, everyday=everyday)

    @classmethod
    def unpack(cls, data: bytes) -> "Toxicity":
        """Return the model in a packed file, without everyday words."""
        count, size = _HEAD.unpack_from(data)
        words = data[_HEAD.size : _HEAD.size + size].decode().split("\n")
        rows = _HEAD.size + size
        lines = rows + (1 + MEMBERS) * 2 * count
        rarity, *members = (unpacked(data[at : at + 2 * count])
                            for at in range(rows, lines, 2 * count))  # fmt: skip
        return cls(numbers={word: at for at, word in enumerate(words)}, rarity=rarity,
                   members=members, lines=tuple(_LINE.iter_unpack(data[lines:])))  # fmt: skip


def _listed(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from line.split()
