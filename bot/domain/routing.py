"""Where a question was sent, and why."""

from dataclasses import dataclass

from bot.domain.replies import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A route that was chosen; without one the default is taken."""

    route: str = ""
    why: str = ""  # for `/why`: names from the configuration, nobody's words
    score: float | None = None  # how near the nearest example was
    usage: Usage = Usage()  # of a paid choice
