"""Where people of the house answer, and when."""

from dataclasses import dataclass
from typing import Literal

from bot.domain.conversation import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverSettings:
    """The staff's place, their hours, and what happens when a model does not know."""

    channel: str = ""  # platform:workspace:channel; empty: there is no way to a person
    unsure: Literal["offer", "handover", "nothing"] = "offer"  # when a model does not know
    hours: tuple[str, ...] = ()  # lines like "mon-fri 09:00-18:00"; empty: always
    timezone: str = "UTC"
    timeout_h: float = 24.0  # without a word from anybody, the bot answers again

    @property
    def place(self) -> Conversation | None:
        """The staff's conversation."""
        if not self.channel:
            return None
        platform, workspace, channel, *thread = self.channel.split(":")
        return Conversation(
            platform=platform, workspace=workspace, channel=channel, thread="".join(thread)
        )
