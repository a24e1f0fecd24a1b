"""What an operator can set for Telegram."""

from dataclasses import dataclass
from typing import Literal

TEXT_LIMIT = 4096  # UTF-16 units after entity parsing: core.telegram.org/bots/api#sendmessage


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """Settings under `adapters.telegram`; secrets are named here, never written here."""

    enabled: bool = False
    token_env: str = "TELEGRAM_BOT_TOKEN"  # noqa: S105
    base_url: str = "https://api.telegram.org/bot"  # the token is appended
    base_file_url: str = "https://api.telegram.org/file/bot"
    mode: Literal["polling", "webhook"] = "polling"
    poll_timeout_s: int = 30  # how long Telegram holds a poll that has nothing to say
    webhook_url: str = ""  # what Telegram calls: https, reachable from outside
    webhook_secret_env: str = "TELEGRAM_WEBHOOK_SECRET"  # noqa: S105
    webhook_host: str = "127.0.0.1"  # where we listen, behind a proxy that ends TLS
    webhook_port: int = 8080
