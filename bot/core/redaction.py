"""Hide personal data from whoever continues a conversation, and put it back into the answer.

A value becomes a placeholder such as `[EMAIL_1]`, the same one throughout a prompt: plain ASCII,
which models repeat faithfully. What already looks like a placeholder is hidden like a value, so
nobody can write one that stands for somebody else's. Secrets are hidden for good.
"""

import re

from bot.domain.personal import KINDS, SECRET, Kind

_LITERAL = "TEXT"  # a person's own words, which happen to look like a placeholder
_NAMES = "|".join(dict.fromkeys([*(kind.name for kind in KINDS), _LITERAL]))
_PLACEHOLDER = re.compile(
    rf"\[\s{{0,2}}({_NAMES})(?:\\?_|[ -])(\d{{1,5}})\s{{0,2}}\]", re.IGNORECASE | re.ASCII
)
_UNFINISHED = re.compile(r"\[[\w\s\\-]{0,17}\Z", re.ASCII)  # may still become a placeholder


class Redactor:
    """Knows the values of one prompt."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}  # by value
        self._values: dict[str, str] = {}  # by placeholder; no secrets
        self._counts: dict[str, int] = {}
        self._held = ""

    @property
    def hides(self) -> bool:
        """Whether anything is hidden."""
        return bool(self._placeholders)

    def hide(self, text: str) -> str:
        """Replace personal data by placeholders."""
        text = _PLACEHOLDER.sub(lambda found: self._placeholder(_LITERAL, found[0]), text)
        before = ""
        while text != before:  # what is left beside a value may have a shape of its own
            before = text
            for kind in KINDS:
                text = self._without(kind, text)
        return text

    def shown(self, words: str) -> str:
        """Return what can be said of an answer so far, with the values in it."""
        self._held += words
        if "[" not in self._held:
            return self._released(len(self._held))
        unfinished = _UNFINISHED.search(self._held)
        return self._released(unfinished.start() if unfinished else len(self._held))

    def close(self) -> str:
        """Return the rest of the answer."""
        return self._released(len(self._held))

    def _released(self, end: int) -> str:
        said, self._held = self._held[:end], self._held[end:]
        return _PLACEHOLDER.sub(self._value, said) if "[" in said else said

    def _value(self, found: re.Match[str]) -> str:
        return self._values.get(f"[{found[1].upper()}_{int(found[2])}]", found[0])

    def _without(self, kind: Kind, text: str) -> str:
        def replaced(candidate: re.Match[str]) -> str:
            value = kind.fit(candidate[0])
            hidden = self._placeholder(kind.name, value) if value else ""
            return hidden + candidate[0][len(value) :]

        return kind.pattern.sub(replaced, text)

    def _placeholder(self, name: str, value: str) -> str:
        if value not in self._placeholders:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._placeholders[value] = placeholder = f"[{name}_{self._counts[name]}]"
            if name != SECRET:
                self._values[placeholder] = value
        return self._placeholders[value]
