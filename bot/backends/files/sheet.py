"""What a parser writes on: it ends where the room ends, and says what is missing."""

from bot.domain.text import storable


class Full(Exception):
    """There is no more room; a parser just lets it pass."""


class Sheet:
    """Collects text up to a limit, and remarks about what is not in it."""

    def __init__(self, characters: int) -> None:
        self.room = self._limit = characters  # how much may still be written
        self._parts: list[str] = []
        self._remarks: list[str] = []

    def write(self, text: str) -> None:
        """Add text.

        Raises:
            Full: some of it had no room.
        """
        self._parts.append(text[: self.room])
        if len(text) > self.room:
            self.remark(
                f"Only the first {self._limit:,} characters are here, the rest is left out."
            )
            raise Full
        self.room -= len(text)

    def remark(self, sentence: str) -> None:
        """Add a sentence to the note."""
        self._remarks.append(sentence)

    @property
    def text(self) -> str:
        """All that was written, as any store can keep it."""
        return storable("".join(self._parts)).strip()

    @property
    def note(self) -> str:
        """All remarks, as one line."""
        return " ".join(self._remarks)
