"""What may leave the bot in a reply."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingPolicy:
    """Where a link may lead (others are shown as code, with their host), and what is left out."""

    links: Literal["listed", "all"] = "listed"
    hosts: tuple[str, ...] = ()  # `example.com` is that host and whatever ends in `.example.com`
    limit: int = 60_000  # characters of one answer
    prompt: Literal["withheld", "open"] = "withheld"  # whether the system prompt may be recited
