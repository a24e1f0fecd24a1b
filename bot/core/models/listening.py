"""A whole answer that nobody sees as it comes: a step of a chain, a candidate, a choice."""

from collections.abc import Awaitable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from bot.domain.dialogue import Ended, Prompt
from bot.domain.replies import Reason, Usage
from bot.ports.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a model said, and what that took."""

    text: str
    reason: Reason = "interrupted"
    usage: Usage = Usage()

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """Read the kept form back."""
        return cls(text=kept["text"], reason=kept["reason"], usage=Usage(**kept["usage"]))

    def plain(self) -> dict[str, Any]:
        """Return the form that is kept."""
        return asdict(self)


class Keeping(Protocol):
    """Where the parts of one answer are kept while its turn runs, and what they took is noted."""

    def found(self, name: str) -> Mapping[str, Any] | None:
        """Return what was kept for the question as it still is."""
        ...

    def keep(self, name: str, found: Mapping[str, Any]) -> Awaitable[None]:
        """Keep a part; await it before something else is paid for."""
        ...

    def paid(self, what: str, name: str, usage: Usage, **more: Any) -> None:
        """Note, for `/why`, what a part took; `again` says that an earlier attempt has paid it."""
        ...

    def note(self, what: str, value: Any) -> None:
        """Note anything else for `/why`: names and numbers, nobody's words."""
        ...


async def heard(model: Model, prompt: Prompt, *, longest: int | None = None) -> Heard:
    """Ask a model and wait for all of it, or until it has said more than so many characters.

    Raises what the model raises.
    """
    words: list[str] = []
    said = 0
    async with aclosing(model.stream(prompt)) as deltas:
        async for delta in deltas:
            if isinstance(delta, Ended):
                return Heard(text="".join(words), reason=delta.reason, usage=delta.usage)
            words.append(delta)
            said += len(delta)
            if longest is not None and said > longest:
                return Heard(text="".join(words), reason="length")
    return Heard(text="".join(words))


def summed(usages: Iterable[Usage]) -> Usage:
    """Add up what the parts of one answer took, under the name of the last one's model."""
    parts = [usage for usage in usages if usage.model]
    if not parts:
        return Usage()
    return Usage(
        model=parts[-1].model,
        input_tokens=sum(usage.input_tokens for usage in parts),
        output_tokens=sum(usage.output_tokens for usage in parts),
        estimated=any(usage.estimated for usage in parts),
    )
