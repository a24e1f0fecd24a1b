"""A prompt with named gaps: values are put in once, and nothing in them is ever looked at again.

Between braces stands a name and nothing else, so a template can neither compute nor reach into
anything; `{{` and `}}` write braces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TOKENS = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}
LONGEST_SHOWN = 40  # characters of what is wrong, in a complaint


class Gap(NamedTuple):
    """A place where a value goes."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt as an operator wrote it, taken apart."""

    parts: tuple[str | Gap, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Take a text apart.

        Raises:
            ValueError: something between braces is no name; the text says what to write.
        """
        parts: list[str | Gap] = []
        end = 0
        for found in _TOKENS.finditer(text):
            parts += [text[end : found.start()], _part(found[0])]
            end = found.end()
        return cls(tuple(part for part in (*parts, text[end:]) if part))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all gaps, each once, in their order."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Gap)))

    def fill(self, values: Mapping[str, str]) -> str:
        """Put values into the gaps.

        Raises:
            KeyError: a gap has no value.
        """
        return "".join(values[p.name] if isinstance(p, Gap) else p for p in self.parts)


def _part(token: str) -> str | Gap:
    if token in _BRACES:
        return _BRACES[token]
    if len(token) == 1:
        raise ValueError(f"has a lone {token}; write {token * 2} for a brace")
    name = token[1:-1]
    if not NAME.fullmatch(name):
        shown = token if len(token) <= LONGEST_SHOWN else f"{token[:LONGEST_SHOWN]}…"
        raise ValueError(f"{shown} is no placeholder; write a name alone, or {{{{ for a brace")
    return Gap(name)
