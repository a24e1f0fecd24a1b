"""What the guard judges with, loaded once, and how their readings become findings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.backends.guards.offline import lexicon
from bot.backends.guards.offline.lexicon import Hit, Lexicon
from bot.backends.guards.offline.linear import Injection, Toxicity
from bot.backends.guards.offline.normalise import Reader, Word, folded, origins
from bot.domain.moderation import Category, Finding, Findings, Sample

NAME = "offline"
SEVERE, FLAGGED = 1.0, 0.8  # the scores of the two halves of the lexicon
REPORTED = 0.3  # from this score on a model's reading is a finding; rules begin at 0.5
WINDOW, STEP = 64, 48  # words: a long text is scored in parts, or its harmless ones would hide one


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """The lexicon, a reader that knows its words, and the models."""

    lexicon: Lexicon
    reader: Reader
    toxicity: Toxicity
    injection: Injection

    def findings(self, sample: Sample) -> Findings:
        """Return what is wrong with a text, the beyond doubt and the doubtful apart.

        An injection is what somebody tells the bot; in its own answers there is none to be found.
        """
        read = self.reader.words(folded(sample.text))
        words = [word for word, _, _ in read]
        hits, excused = self.lexicon.search(words)
        doubtful = [word for at, word in enumerate(words) if at not in excused]
        found = (*_listed(sample.text, read, hits), *self._scored(words, doubtful))
        if sample.stage == "inbound":
            return found
        return tuple(finding for finding in found if finding.category != "injection")

    def _scored(self, words: Sequence[str], doubtful: Sequence[str]) -> Iterator[Finding]:
        english = self.toxicity.reads
        scores: tuple[tuple[Category, float], ...] = (
            ("toxicity", _worst(self.toxicity, filter(english, _windows(doubtful)))),
            ("injection", _worst(self.injection, filter(english, _windows(words)))),
        )
        for category, score in scores:
            if score >= REPORTED:
                yield Finding(category=category, score=score, guard=NAME)


def load() -> Instruments:
    """Read everything from the package."""
    phrases = lexicon.load()
    return Instruments(lexicon=phrases, reader=Reader(phrases.words),
                       toxicity=Toxicity.load(), injection=Injection.load())  # fmt: skip


def _worst(model: Toxicity | Injection, windows: Iterable[Sequence[str]]) -> float:
    return max(map(model.score, windows), default=0.0)


def _windows(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, max(1, len(words) - WINDOW + STEP), STEP):
        yield words[at : at + WINDOW]


def _listed(text: str, words: Sequence[Word], hits: Sequence[Hit]) -> Findings:
    if not hits:
        return ()
    origin = origins(text)
    spans: defaultdict[tuple[Category, bool], set[tuple[int, int]]] = defaultdict(set)
    for hit in hits:
        span = origin[words[hit.first][1]], origin[words[hit.last][2]]
        spans[hit.category, hit.severe].add(span)
    return tuple(
        Finding(category=category, score=SEVERE if severe else FLAGGED, guard=NAME,
                severe=severe, spans=tuple(sorted(where)))
        for (category, severe), where in spans.items()
    )  # fmt: skip
