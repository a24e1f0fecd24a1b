"""Slack without its SDK: settings, secrets, manifest; the SDK is imported when it is built."""

from urllib.parse import urlsplit

from adapters.kit.files import LOOPBACK
from adapters.kit.roles import Informed
from adapters.slack.manifest import manifest
from adapters.slack.markup import LIMIT
from adapters.slack.settings import SlackSettings
from bot.domain.conversation import Conversation
from bot.domain.errors import ConfigError
from bot.ports.platform import Abilities, Adapter, Descriptor, Secret, Surroundings


def _secrets(settings: SlackSettings) -> tuple[Secret, ...]:
    bot = Secret(
        key="adapters.slack.bot_token_env",
        variable=settings.bot_token_env,
        shape=r"xox[bp]-.+",
        hint="api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
    )
    app = Secret(
        key="adapters.slack.app_token_env",
        variable=settings.app_token_env,
        shape=r"xapp-.+",
        hint="api.slack.com/apps, your app, App-Level Tokens, with connections:write",
    )
    signing = Secret(
        key="adapters.slack.signing_secret_env",
        variable=settings.signing_secret_env,
        hint="api.slack.com/apps, your app, App Credentials, Signing Secret",
    )
    return bot, app if settings.mode == "socket" else signing


def _build(settings: SlackSettings, surroundings: Surroundings) -> Adapter:
    """Create receiver and sender. Raises ConfigError when a secret or the base URL is of no use."""
    from adapters.slack.before import SlackBefore  # noqa: PLC0415
    from adapters.slack.events_http import HttpLine  # noqa: PLC0415
    from adapters.slack.files import SlackFiles  # noqa: PLC0415
    from adapters.slack.history import History  # noqa: PLC0415
    from adapters.slack.receiver import SlackReceiver  # noqa: PLC0415
    from adapters.slack.roles import SlackRoles  # noqa: PLC0415
    from adapters.slack.sender import SlackSender  # noqa: PLC0415
    from adapters.slack.socket_mode import SocketLine  # noqa: PLC0415
    from adapters.slack.web import SlackWeb  # noqa: PLC0415

    url = urlsplit(settings.base_url)
    if url.scheme != "https" and (url.hostname or "") not in LOOPBACK:
        raise ConfigError(
            "adapters.slack.base_url: tokens would travel in the clear; use an https:// address"
        )
    token = surroundings.secret(settings.bot_token_env)
    incoming, outgoing = (SlackWeb(settings.base_url, token) for _ in range(2))
    line: SocketLine | HttpLine
    if settings.mode == "socket":
        line = SocketLine(web=incoming, app_token=surroundings.secret(settings.app_token_env))
    else:
        secret = surroundings.secret(settings.signing_secret_env)
        line = HttpLine(secret, settings.http_host, settings.http_port, settings.http_path)
    receiver = SlackReceiver(
        web=incoming,
        line=line,
        marks=surroundings.marks,
        pulse=surroundings.pulse,
        messages=settings.backfill_messages,
        hours=settings.backfill_hours,
    )
    return Adapter(
        receiver=Informed(receiver, SlackRoles(incoming)) if surroundings.roles else receiver,
        sender=SlackSender(outgoing, surroundings.streaming, settings.settle_s),
        history=SlackBefore(History(outgoing, 1000, settings.backfill_hours)),
        files=SlackFiles(settings.base_url, token),
    )


def _link(place: Conversation) -> str:
    """Return an address that opens a channel or a thread in Slack's own client."""
    thread = f"/thread/{place.channel}-{place.thread}" if place.thread else ""
    return f"https://app.slack.com/client/{place.workspace}/{place.channel}{thread}"


DESCRIPTOR = Descriptor(
    name="slack",
    settings=SlackSettings,
    abilities=Abilities(
        text_limit=LIMIT,
        streaming=("native", "edit"),
        private_replies=True,
        reactions=True,
        buttons=True,
        threads=True,
        whispers=True,
    ),
    secrets=_secrets,
    manifest=manifest,
    link=_link,
    build=_build,
)
