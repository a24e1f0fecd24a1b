"""What can be set for the terminal; `parley chat` sets it by itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Where lines come from and who writes them."""

    enabled: bool = False
    name: str = ""  # who is talking; empty: the user of this machine
    once: str = ""  # answer this one message and end
