"""Secrets that the process knows, and passages of the system prompt.

Compared are letters and digits alone, so that spaces, emphasis and case hide nothing. Words wait
while they may be the begin of something that is withheld, and no longer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.core.outgoing.tokens import MARK

LEFT_OUT = "[…]"
_SHORTEST_SECRET = 8  # letters and digits
_PASSAGE_SIGNS = 80  # letters and digits: about 100 characters, more than one plain fact
_PASSAGE_WORDS = 16
_PASSAGE_LEAST = 32  # letters and digits of so many words
_MOST = 200  # words that wait together
_MEMO = 4_000  # words
_WORD = re.compile(r"[^\W_]{1,64}")
_RARE = re.compile(r"(?=\w*\d)(?=\w*[^\W\d_])\w{8,}|(?=\w{8})[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def _bare(text: str) -> str:
    return "".join(_WORD.findall(text)).lower()


@dataclass(frozen=True, slots=True)
class _Needle:
    """One string that never leaves."""

    bare: str
    mark: str
    exact: str = ""  # letters and digits as they are written, where case tells it from a phrase


@dataclass(slots=True)
class _Waiting:
    """Words that may be the begin of something."""

    bare: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)  # each with what follows it

    def release(self, count: int) -> str:
        said = "".join(self.raw[:count])
        del self.bare[:count], self.raw[:count]
        return said

    def index(self, at: int) -> int:
        """Return which word has the letter at an offset."""
        for index, word in enumerate(self.bare):
            at -= len(word)
            if at < 0:
                return index
        return len(self.bare)


class Withheld:
    """Replaces what is withheld; afterwards `leaked` tells whether a prompt was recited."""

    def __init__(self, secrets: Iterable[str], system_prompt: str) -> None:
        self.leaked = False
        self._prompt, self._needles, self._heads = _looked_for(tuple(secrets), system_prompt)
        self._memo: dict[str, tuple[bool, bool]] = {}
        self._waiting = _Waiting()
        self._run = 0  # how many of the words that wait, the last ones, stand in the prompt
        self._begun = 0  # how many of them may be the begin of a secret
        self._reciting = ""  # the last of a passage that is being left out
        self._gap = ""  # behind it
        self._rest = ""  # a word that may go on

    def feed(self, words: str) -> str:
        """Return what may leave by now."""
        if not self._needles and not self._prompt:
            return words
        text = self._rest + words
        end = _whole(text)
        self._rest = text[end:]
        return self._said(text, end)

    def close(self) -> str:
        """Return the rest."""
        if self._rest:
            text, self._rest = self._rest, ""
            said = self._said(text, len(text))
        else:
            said = ""
        return said + self._waiting.release(len(self._waiting.raw)) + self._gap

    def _said(self, text: str, end: int) -> str:
        if not (self._reciting or self._begun or len(self._waiting.raw) > 1):
            held, self._run = self._waiting.release(1), 0
            text, end = held + text, len(held) + end
            at = self._harmless(text, end)
        else:
            at = 0
        said = [text[:at]]
        for word in _WORD.finditer(text, at, end):
            start = word.start()
            if start > at:
                said.append(self._between(text[at:start]))
            at = word.end()
            said.append(self._word(word[0]))
        if end > at:
            said.append(self._between(text[at:end]))
        return "".join(said)

    def _harmless(self, text: str, end: int) -> int:
        """Return where the first words begin that may be a part of something; most texts have none.

        Two words that follow each other in the prompt may be, and so may a last one that is in it.
        """
        before, begins = "", 0
        for word in _WORD.finditer(text, 0, end):
            raw = word[0]
            in_prompt, is_head = self._memo.get(raw) or self._learn(raw)
            bare = raw.lower() if in_prompt else ""
            if before and bare and before + bare in self._prompt:
                return begins
            if is_head:
                return word.start()
            before, begins = bare, word.start()
        return begins if before else end

    def _between(self, gap: str) -> str:
        if self._reciting:
            self._gap += gap
            return ""
        if self._waiting.raw:
            self._waiting.raw[-1] += gap
            return ""
        return gap

    def _word(self, raw: str) -> str:
        in_prompt, is_head = self._memo.get(raw) or self._learn(raw)
        if not (in_prompt or is_head or self._waiting.raw or self._reciting):
            return raw
        bare, said = raw.lower(), ""
        if self._reciting:
            if self._reciting + bare in self._prompt:
                self._reciting, self._gap = (self._reciting + bare)[-200:], ""
                return ""
            said, self._reciting, self._gap = self._gap, "", ""
        waiting = self._waiting
        if not (in_prompt or is_head or self._begun):  # the end of a common phrase
            said += waiting.release(len(waiting.raw))
            self._run = 0
            return said + raw
        waiting.bare.append(bare)
        waiting.raw.append(raw)
        if is_head or self._begun:
            found = self._secret("".join(waiting.bare))
            if found is not None:
                return said + found
        return said + self._passage(in_prompt)

    def _learn(self, raw: str) -> tuple[bool, bool]:
        if len(self._memo) > _MEMO:
            self._memo.clear()
        bare = raw.lower()
        known = (bare in self._prompt, bool(self._heads and self._heads.search(bare)))
        self._memo[raw] = known
        return known

    def _secret(self, text: str) -> str | None:
        """Return what leaves when the words that wait end with a secret."""
        for needle in self._needles:
            at = text.find(needle.bare)
            if at >= 0 and self._is(needle, at):
                return self._replace(self._waiting.index(at), needle.mark)
        self._begun = self._begins(text)
        return None

    def _passage(self, in_prompt: bool) -> str:
        """Return what no longer waits after one more word."""
        waiting = self._waiting
        self._run = self._run_now() if in_prompt else 0
        count = len(waiting.bare)
        if self._run > 1 and self._is_passage(run := waiting.bare[count - self._run :]):
            self.leaked, self._reciting = True, "".join(run)
            return self._replace(count - self._run, LEFT_OUT)
        if count > _MOST:
            self._run = self._begun = 0
        keep = max(self._run, self._begun)
        return waiting.release(count - keep) if keep < count else ""

    def _is_passage(self, run: Sequence[str]) -> bool:
        signs = sum(map(len, run))
        words = len(run) >= _PASSAGE_WORDS and signs >= _PASSAGE_LEAST
        return words or signs >= _PASSAGE_SIGNS

    def _is(self, needle: _Needle, at: int) -> bool:
        if needle.exact:
            raw = "".join(_WORD.findall("".join(self._waiting.raw)))
            if raw[at : at + len(needle.exact)] != needle.exact:
                return False
        self.leaked = self.leaked or needle.mark == LEFT_OUT
        return True

    def _replace(self, start: int, mark: str) -> str:
        said = self._waiting.release(start) + mark
        self._waiting = _Waiting()
        self._run = self._begun = 0
        return said

    def _run_now(self) -> int:
        """Return how many words at the end follow each other in the prompt."""
        words = self._waiting.bare
        for count in range(self._run + 1, 0, -1):
            if "".join(words[len(words) - count :]) in self._prompt:
                return count
        return 0

    def _begins(self, text: str) -> int:
        """Return how many of the words that wait may be the begin of a secret."""
        at = 0
        while self._heads and (found := self._heads.search(text, at)):
            tail = text[found.start() :]
            if any(needle.bare.startswith(tail) for needle in self._needles):
                return len(self._waiting.bare) - self._waiting.index(found.start())
            at = found.start() + 1
        return 0


def _whole(text: str) -> int:
    """Return where the last word begins that may still go on."""
    if not text or not text[-1].isalnum():
        return len(text)
    start = len(text)
    while start and text[start - 1].isalnum():
        start -= 1
    return start + (len(text) - start - 1) // 64 * 64


@lru_cache(maxsize=64)
def _looked_for(
    secrets: tuple[str, ...], system_prompt: str
) -> tuple[str, Sequence[_Needle], "re.Pattern[str] | None"]:
    """Return the prompt, the needles and their heads, which are the same for many answers."""
    needles = _needles(secrets, system_prompt)
    return _bare(system_prompt), needles, _heads([needle.bare for needle in needles])


def _needles(secrets: Iterable[str], system_prompt: str) -> Sequence[_Needle]:
    bares = [bare for secret in secrets if len(bare := _bare(secret)) >= _SHORTEST_SECRET]
    needles = {bare: _Needle(bare, MARK) for whole in bares for bare in (whole, whole[1:])}
    for rare in _RARE.findall(system_prompt):
        bare = _bare(rare)
        exact = "" if any(sign.isdigit() for sign in rare) else rare.replace("_", "")
        needles.setdefault(bare, _Needle(bare, LEFT_OUT, exact))
        needles.setdefault(bare[1:], _Needle(bare[1:], LEFT_OUT, exact[1:]))
    return sorted(needles.values(), key=lambda needle: -len(needle.bare))


def _heads(needles: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds where one may begin: its first letters, or fewer at the end of a word.

    A single letter at the end of a longer word is none: what follows it is a needle of its own.
    """
    if not needles:
        return None
    first = sorted({re.escape(needle[:4]) for needle in needles})
    few = sorted({needle[:count] for needle in needles for count in (2, 3)})
    one = sorted({needle[0] for needle in needles})
    return re.compile(rf"{'|'.join(first)}|(?:{'|'.join(few)})\Z|\A[{''.join(one)}]\Z")
