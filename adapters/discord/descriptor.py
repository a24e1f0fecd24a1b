"""Discord without its SDK: enough to check a configuration and to print what to click."""

import json
from typing import Any

from adapters.discord.commands import render
from adapters.discord.settings import DiscordSettings
from bot.domain.commands import Catalogue
from bot.domain.conversation import Conversation
from bot.ports.platform import Abilities, Adapter, Descriptor, Secret, Surroundings

_VIEW_CHANNELS, _SEND_MESSAGES, _READ_HISTORY, _SEND_IN_THREADS = 1 << 10, 1 << 11, 1 << 16, 1 << 38
_PERMISSIONS = _VIEW_CHANNELS | _SEND_MESSAGES | _READ_HISTORY | _SEND_IN_THREADS
_PORTAL = "https://discord.com/developers/applications"

ABILITIES = Abilities(
    text_limit=2000,
    unit="utf16",  # the stricter reading of Discord's "characters"
    streaming=("edit",),
    private_replies=True,
    reactions=True,
    buttons=True,
)


def _secrets(settings: Any) -> tuple[Secret, ...]:
    return (
        Secret(
            key="adapters.discord.token_env",
            variable=settings.token_env,
            shape=r"[\w-]+\.[\w-]+\.[\w-]+",
            hint=f"{_PORTAL} → your application → Bot → Reset Token",
        ),
    )


def _manifest(catalogue: Catalogue) -> str:
    """Return JSON: the invitation link, the intents to switch on, the commands (sent by itself)."""
    scopes = ["bot", "applications.commands"]
    invite = (
        "https://discord.com/oauth2/authorize?client_id=YOUR_APPLICATION_ID"
        f"&scope={'%20'.join(scopes)}&permissions={_PERMISSIONS}"
    )
    return json.dumps(
        {
            "invite": {"url": invite, "scopes": scopes, "permissions": str(_PERMISSIONS)},
            "privileged_intents": {
                "Message Content Intent": f"switch it on at {_PORTAL} → your application → Bot, "
                "or set adapters.discord.message_content = false (mentions and direct messages)"
            },
            "commands": render(catalogue),
        },
        indent=2,
        ensure_ascii=False,
    )


def _build(settings: Any, surroundings: Surroundings) -> Adapter:
    from adapters.discord.backfill import Backfill  # noqa: PLC0415
    from adapters.discord.before import DiscordBefore  # noqa: PLC0415
    from adapters.discord.files import DiscordFiles  # noqa: PLC0415
    from adapters.discord.receiver import DiscordReceiver  # noqa: PLC0415 - imports the SDK
    from adapters.discord.sender import DiscordSender  # noqa: PLC0415
    from adapters.discord.session import Session  # noqa: PLC0415

    session = Session(settings=settings, token=surroundings.secret(settings.token_env))
    receiver = DiscordReceiver(session=session, marks=surroundings.marks, pulse=surroundings.pulse)
    return Adapter(
        receiver=receiver,
        sender=DiscordSender(session=session, edits=surroundings.streaming != "off"),
        files=DiscordFiles(settings.api_base_url),
        history=DiscordBefore(session, Backfill(session, receiver.places)),
    )


def _link(place: Conversation) -> str:
    """Return an address that opens a channel or a thread on Discord."""
    where = place.thread or place.channel
    return f"https://discord.com/channels/{place.workspace or '@me'}/{where}"


DESCRIPTOR = Descriptor(
    name="discord",
    settings=DiscordSettings,
    abilities=ABILITIES,
    secrets=_secrets,
    manifest=_manifest,
    link=_link,
    build=_build,
)
