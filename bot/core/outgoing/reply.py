"""The door through which an answer leaves."""

from collections.abc import Sequence

from bot.core.outgoing.markup import Markup
from bot.core.outgoing.signs import seen
from bot.core.outgoing.tokens import Tokens
from bot.core.outgoing.withheld import Withheld
from bot.domain.outgoing import OutgoingPolicy


class Outgoing:
    """Filters one answer while it is written: `feed` each piece, then `close`.

    Args:
        policy: which links may be links, and the longest length.
        secrets: strings that the process knows and nobody else may.
        system_prompt: what the model was told, and may not recite.
        ending: one sentence that ends an answer which is too long.
    """

    def __init__(
        self,
        policy: OutgoingPolicy,
        secrets: Sequence[str] = (),
        system_prompt: str = "",
        *,
        ending: str = "",
    ) -> None:
        self._tokens = Tokens()
        self._withheld = Withheld(secrets, system_prompt)
        self._markup = Markup(policy, ending)

    @property
    def leaked(self) -> bool:
        """Whether the answer recited the system prompt."""
        return self._withheld.leaked

    @property
    def full(self) -> bool:
        """Whether the answer has its longest length: whatever follows is left out."""
        return self._markup.full

    def feed(self, words: str) -> str:
        """Return what may be shown by now."""
        return self._markup.feed(self._withheld.feed(self._tokens.feed(seen(words))))

    def close(self) -> str:
        """Return the rest; a fence that is open is closed, and a text that was cut says so."""
        rest = self._withheld.feed(self._tokens.close()) + self._withheld.close()
        return self._markup.feed(rest) + self._markup.close()
