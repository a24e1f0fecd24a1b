"""What an operator can set about Discord."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordSettings:
    """The table `[adapters.discord]` of the configuration."""

    enabled: bool = False
    token_env: str = "DISCORD_BOT_TOKEN"  # noqa: S105 - the name of a variable
    api_base_url: str = "https://discord.com/api/v10"
    gateway_url: str = ""  # empty: Discord's own
    message_content: bool = True  # False: only mentions, replies and direct messages are read
    backfill_messages: int = 200  # read at most, per channel, after an interruption
    backfill_hours: int = 24  # older messages are not answered any more
