"""Where an answer's words go, up to the longest length."""

from bot.core.outgoing.signs import JOINER


class Sink:
    """Collects what may leave; once it is full, nothing more fits."""

    def __init__(self, limit: int) -> None:
        self.full = False
        self.last = "\n"  # the last character that left
        self._left = limit
        self._out: list[str] = []

    def words(self, text: str) -> None:
        """Take as much of a text as fits."""
        self.whole(text if len(text) <= self._left else text[: self._left], more=text)

    def whole(self, text: str, *, more: str = "") -> bool:
        """Take something that makes no sense in parts; tells whether it fitted.

        Args:
            text: what is taken.
            more: what it is the begin of, if that did not fit.
        """
        if self.full or len(text) > self._left:
            self.full = True
            return False
        self._left -= len(text)
        self.full = len(more) > len(text)
        self.append(text)
        return True

    def code(self, text: str) -> None:
        """Take inline code; no mark of code or escape before it changes its meaning."""
        before = JOINER if self.last in "`\\" else ""
        self.whole(f"{before}`{text}`")

    def append(self, text: str) -> None:
        """Take the last words of an answer, however long it is."""
        if text:
            self._out.append(text)
            self.last = text[-1]

    def taken(self) -> str:
        """Return what was collected since the last time."""
        said = "".join(self._out)
        self._out.clear()
        return said
