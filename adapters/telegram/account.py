"""One bot account: its connection, who it is, and what Telegram's refusals mean to us."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)

from adapters.telegram.settings import TelegramSettings
from adapters.telegram.transport import PATIENCE, Flooded, Wire
from adapters.telegram.trouble import unreachable
from adapters.telegram.words import Me
from bot.domain.errors import (
    ConfigError,
    DeliveryError,
    Gone,
    RetryLater,
    Unformattable,
    Unreachable,
)

# Telegram says with 400 and words what other platforms say with a code.
CLOSED = (
    "chat not found", "chat_write_forbidden", "chat_restricted", "group chat was deactivated",
    "have no rights", "message thread not found", "need administrator rights", "not enough rights",
    "peer_id_invalid", "topic_closed", "topic_deleted", "user is deactivated",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Account:
    """What the receiver and the sender share: one connection, one identity."""

    bot: Bot = field(repr=False)  # whose own text holds the token
    wire: Wire
    token_env: str
    commands: dict[str, str] | None = None  # name or alias → name, once they were published
    refused: set[str] = field(default_factory=set)  # kinds of markup that this server does not know
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, settings: TelegramSettings, token: str) -> Self:
        """Prepare an account; nothing is sent before `open`."""
        wire = Wire(settings.base_url)
        bot = Bot(
            token,
            base_url=settings.base_url,
            base_file_url=settings.base_file_url,
            request=wire,
            get_updates_request=wire,
        )
        return cls(bot=bot, wire=wire, token_env=settings.token_env)

    @property
    def me(self) -> Me:
        """Who the bot is, once the account is open."""
        return Me(self.bot.id, self.bot.username or "", self.commands)

    async def open(self) -> None:
        """Connect and ask, once, who the bot is.

        Raises:
            ConfigError: Telegram refuses the token.
            TelegramError: Telegram cannot be reached; calling again is fine.
        """
        async with self._opening:
            try:
                await self.bot.initialize()
            except (InvalidToken, EndPointNotFound):  # its text holds the token
                raise self.refusal() from None

    async def close(self) -> None:
        """Close the connection."""
        await self.bot.shutdown()

    async def call(
        self, method: str, args: dict[str, Any], patience: float = PATIENCE
    ) -> Any:  # the method's own result, as plain JSON
        """Call a method of the Bot API; raises TelegramError."""
        return await self.wire.call(f"{self.bot.base_url}/{method}", args, patience)

    async def attempt(self, method: str, args: dict[str, Any]) -> Any:
        """Call a method; raises ChatMigrated, and DeliveryError for everything else."""
        try:
            return await self.call(method, args)
        except ChatMigrated:
            raise
        except TelegramError as error:
            raise outcome(error) from None

    def refusal(self) -> ConfigError:
        """Return the sentence for a token that is wrong or was revoked."""
        return ConfigError(
            f"adapters.telegram.token_env: Telegram refuses the token in {self.token_env}; copy it "
            "again from @BotFather (/mybots → API Token)"
        )


def outcome(error: TelegramError) -> DeliveryError:
    """Say in the core's words what became of a call."""
    sentence = f"Telegram: {error.message}"
    match error:
        case Flooded():
            return RetryLater(error.seconds)
        case BadRequest() | EndPointNotFound():
            closed = any(phrase in error.message.lower() for phrase in CLOSED)
            return Gone(sentence) if closed else Unformattable(sentence)
        case Forbidden():
            return Gone(sentence)
        case NetworkError():
            return Unreachable(unreachable(error))
    return DeliveryError(sentence)
