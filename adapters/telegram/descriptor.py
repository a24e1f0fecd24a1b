"""Telegram without its SDK: settings, abilities, secrets, command list."""

from adapters.kit.roles import Informed
from adapters.telegram.commands import everyone, lines
from adapters.telegram.settings import TEXT_LIMIT, TelegramSettings
from bot.domain.commands import Catalogue
from bot.domain.conversation import Conversation
from bot.ports.platform import Abilities, Adapter, Descriptor, Receiver, Secret, Surroundings


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
    from adapters.telegram.files import TelegramFiles  # noqa: PLC0415
    from adapters.telegram.receiver import PollingReceiver  # noqa: PLC0415
    from adapters.telegram.roles import TelegramRoles  # noqa: PLC0415
    from adapters.telegram.sender import TelegramSender  # noqa: PLC0415
    from adapters.telegram.webhook import WebhookReceiver  # noqa: PLC0415 - and a web server

    account = Account.of(settings, surroundings.secret(settings.token_env))
    receiver: Receiver = PollingReceiver(
        account=account, pulse=surroundings.pulse, poll_timeout=settings.poll_timeout_s
    )
    if settings.mode == "webhook":
        receiver = WebhookReceiver(
            account=account,
            settings=settings,
            secret=surroundings.secret(settings.webhook_secret_env),
            pulse=surroundings.pulse,
        )
    return Adapter(
        receiver=Informed(receiver, TelegramRoles(account)) if surroundings.roles else receiver,
        sender=TelegramSender(account=account, edits=surroundings.streaming != "off"),
        files=TelegramFiles(account),
    )


def link(place: Conversation) -> str:
    """Return an address that opens a supergroup; Telegram has none for other chats."""
    number = place.channel.removeprefix("-100")
    if number == place.channel:
        return ""
    return f"https://t.me/c/{number}{f'/{place.thread}' if place.thread else ''}"


DESCRIPTOR = Descriptor(
    name="telegram",
    settings=TelegramSettings,
    abilities=Abilities(
        text_limit=TEXT_LIMIT, unit="utf16", streaming=("edit",), reactions=True, buttons=True
    ),
    secrets=secrets,
    manifest=manifest,
    link=link,
    build=build,
)
