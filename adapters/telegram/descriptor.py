"""Telegram without its SDK: settings, abilities, secrets, command list."""

from adapters.telegram.commands import everyone, lines
from adapters.telegram.settings import TEXT_LIMIT, TelegramSettings
from bot.domain.commands import Catalogue
from bot.ports.platform import Abilities, Adapter, Descriptor, Secret, Surroundings


def secrets(settings: TelegramSettings) -> tuple[Secret, ...]:
    """Name the secrets that these settings need."""
    token = Secret(
        key="adapters.telegram.token_env",
        variable=settings.token_env,
        shape=r"\d+:[\w-]{30,}",
        hint="@BotFather gives it to you after /newbot, or under /mybots → API Token",
    )
    webhook = Secret(
        key="adapters.telegram.webhook_secret_env",
        variable=settings.webhook_secret_env,
        shape=r"[A-Za-z0-9_-]{16,256}",
        hint="make one up: `openssl rand -hex 32`; Telegram sends it with every update",
    )
    return (token, webhook) if settings.mode == "webhook" else (token,)


def manifest(catalogue: Catalogue) -> str:
    """Return what @BotFather is told by hand; the bot publishes the same menu when it starts."""
    return "\n".join(
        (
            "The bot publishes its commands by itself when it starts. To set them by hand, send",
            "/setcommands to @BotFather, choose your bot and paste these lines:",
            "",
            *lines(everyone(catalogue)),
            "",
            "In groups a bot sees commands, mentions and replies to its messages. If it should",
            "read everything (`access.require_mention = false`), send /setprivacy and choose",
            "Disable, then remove it from the group and add it again.",
            "To rate answers with 👍 and 👎 in a group, make the bot an administrator there.",
        )
    )


def build(settings: TelegramSettings, surroundings: Surroundings) -> Adapter:
    """Build both sides; raises ConfigError when a secret is not set."""
    from adapters.telegram.account import Account  # noqa: PLC0415 - imports the SDK
    from adapters.telegram.receiver import PollingReceiver  # noqa: PLC0415
    from adapters.telegram.sender import TelegramSender  # noqa: PLC0415

    account = Account.of(settings, surroundings.secret(settings.token_env))
    sender = TelegramSender(account=account, edits=surroundings.streaming != "off")
    if settings.mode == "polling":
        receiver = PollingReceiver(
            account=account, pulse=surroundings.pulse, poll_timeout=settings.poll_timeout_s
        )
        return Adapter(receiver=receiver, sender=sender)
    from adapters.telegram.webhook import WebhookReceiver  # noqa: PLC0415 - and a web server

    secret = surroundings.secret(settings.webhook_secret_env)
    webhook = WebhookReceiver(
        account=account, settings=settings, secret=secret, pulse=surroundings.pulse
    )
    return Adapter(receiver=webhook, sender=sender)


DESCRIPTOR = Descriptor(
    name="telegram",
    settings=TelegramSettings,
    abilities=Abilities(
        text_limit=TEXT_LIMIT, unit="utf16", streaming=("edit",), reactions=True, buttons=True
    ),
    secrets=secrets,
    manifest=manifest,
    build=build,
)
