"""Words of questions: which of them carry the topic, and which were only mistyped."""

import re
from collections import defaultdict
from collections.abc import Iterable

MOST_WORDS = 64  # of one question: who pastes a page does not ask one
SHORTEST_SWAPPED = 4  # letters of a word in which two may be swapped
SHORTEST_MISTYPED = 6  # letters: shorter words have too many neighbours

# Words that every question has, whatever it is about.
LIGHT = frozenset(
    """
    a an the this that these those it its is are was were be been being am do does did done
    doing have has had having i me my mine we us our you your yours he him his she her they them
    their there here who whom whose which what when where why how and or but if then than so as
    of at by for from in into on onto to with without about up down out over under again off can
    could may might must shall should will would cannot not no nor only own same too very just
    also any some all both each few more most other such please tell know s t d m ll ve re don
    doesn didn isn aren won whats im ive get gets getting got take takes taking took give gives
    giving gave make makes making made let put go goes going gone went come comes coming came
    want wants need needs like likes wish look looks looking see find finding help helps use
    used using try trying say says said show mean means think happen happens bring yesterday
    today tomorrow tonight now soon later already yet still ever never always often last next
    first ago until since before after while week weeks day days month months year years time
    times minute minutes much many lot lots little bit long really maybe actually sure possible
    thing things something anything nothing everything somebody someone anybody anyone everybody
    everyone one two three work works allow allowed accept accepted offer offers offered provide
    provided carry able near nearby around question questions ask asking wonder wondering
    information info details policy policies rule rules interested currently regarding
    concerning way kind business right new good best better another else okay ok yes hey hi
    hello well thanks thank name
    """.split()  # noqa: SIM905 - words read better as text
)

_SHORT_PREFIX = re.compile(r"\b(\w{1,2})-(?=\w)")  # e-mail, T-shirt, Wi-Fi: one word, not two
_WORD = re.compile(r"\w+")


LEANS = re.compile(  # a question that begins so goes on with what was said before
    r"(?i)\s*(?:and|or|but|so|also|what about|how about|and what about|then|und|et|y|e)\b"
)
POINTS = frozenset(
    "it its they them their this that these those he she him her one ones there".split()  # noqa: SIM905
)
SHORT = 2  # words that carry the topic
BARE = 3  # words, of which none does
WORDY = 7  # words, of which none does, where meaning decides besides


def continues(asked: list[str], topic: int) -> bool:
    """Return whether a question may lean on the one before: "and on Sundays?", "how much?".

    Args:
        asked: its words, in order.
        topic: how many of them carry the topic.
    """
    if topic:
        return topic <= SHORT
    return 0 < len(asked) <= BARE and all(word.isalpha() for word in asked)


def leans(question: str) -> bool:
    """Return whether a question points back by its words: "is it washable?", "and to Austria?"."""
    asked = words(question)
    topic = sum(map(carries_topic, asked))
    if LEANS.match(question) or not POINTS.isdisjoint(asked):
        return topic <= SHORT
    return topic == 0 and 0 < len(asked) <= WORDY


def plain(text: str) -> str:
    """Return text as it is indexed and searched: short prefixes joined to their word."""
    return _SHORT_PREFIX.sub(r"\1", text)


def carries_topic(word: str) -> bool:
    """Return whether a word says what a question is about: no common word, no number."""
    return word not in LIGHT and not word.isdigit()


def words(text: str) -> list[str]:
    """Return the distinct words of a text in lower case, in order, the first MOST_WORDS of them."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(plain(text).lower()):
        found[match[0]] = None
        if len(found) == MOST_WORDS:
            break
    return list(found)


class Vocabulary:
    """All words of the documents, to find the one that was meant by a mistyped one."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: dict[str, set[str]] = defaultdict(set)  # by first letter
        for text in texts:
            for word in _WORD.findall(plain(text).lower()):
                if len(word) >= SHORTEST_SWAPPED:
                    self._words[word[0]].add(word)

    def meant(self, word: str) -> str | None:
        """Return the word one slip of the fingers away, if there is one."""
        if word.isdigit():
            return None
        near = [known for known in self._words.get(word[0], ()) if mistyped(word, known)]
        return min(near, key=lambda known: (abs(len(known) - len(word)), known), default=None)


def mistyped(typed: str, meant: str) -> bool:
    """Return whether a word is surely another one: a short one only if two letters are swapped."""
    if len(typed) >= SHORTEST_MISTYPED:
        return one_slip(typed, meant)
    swapped = len(typed) == len(meant) and sorted(typed) == sorted(meant)
    return len(typed) >= SHORTEST_SWAPPED and swapped and one_slip(typed, meant)


def one_slip(typed: str, meant: str) -> bool:
    """Return whether one letter is missing, too many, wrong, or swapped with its neighbour."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    at = 0
    while at < min(len(typed), len(meant)) and typed[at] == meant[at]:
        at += 1
    typed, meant = typed[at:], meant[at:]
    swapped = typed[1::-1] + typed[2:]
    return typed[1:] == meant or typed == meant[1:] or typed[1:] == meant[1:] or swapped == meant
