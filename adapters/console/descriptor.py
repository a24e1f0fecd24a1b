"""What the terminal is, without reading or printing anything."""

from typing import Any

from adapters.console.settings import ConsoleSettings
from bot.ports.platform import Abilities, Adapter, Descriptor, Surroundings


def build(settings: ConsoleSettings, surroundings: Surroundings) -> Adapter:
    """Connect both directions through what they share: what is unanswered, what can be pressed."""
    from adapters.console.receiver import ConsoleReceiver  # noqa: PLC0415
    from adapters.console.sender import ConsoleSender  # noqa: PLC0415

    sender = ConsoleSender(bot_name=surroundings.bot_name, bare=bool(settings.once))
    receiver = ConsoleReceiver(settings, sender.unanswered, sender.offer, pulse=surroundings.pulse)
    return Adapter(receiver=receiver, sender=sender)


def no_secrets(settings: Any) -> tuple[()]:  # noqa: ARG001
    """A terminal needs no token."""
    return ()


DESCRIPTOR = Descriptor(
    name="console",
    settings=ConsoleSettings,
    abilities=Abilities(
        text_limit=1_000_000,
        streaming=("native",),
        private_replies=True,
        buttons=True,
        whispers=True,
    ),
    secrets=no_secrets,
    manifest=None,
    build=build,
)
