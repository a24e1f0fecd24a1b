"""What is kept of people, as the configuration wants it: notice, commands, forgetting, deletion."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.app.assembly import Assembly
from bot.app.clocks import SystemClock
from bot.app.platforms import platforms
from bot.backends.openai.settings import OpenAISettings, address
from bot.config import Config, Secrets
from bot.core.commands import Desk
from bot.core.commands.desk import Request
from bot.core.commands.privacy import Admitted, Disclosure, PrivacyCommands
from bot.core.forgetting import Forgetting
from bot.core.journal import TurnJournal
from bot.core.notice import FirstContact
from bot.core.retention import Tidying
from bot.core.turn import Answering
from bot.domain.events import MessageReceived


def model_places(config: Config, secrets: Secrets) -> Callable[[str], str]:
    """Return a function from a model's name to where it is, for people."""

    def where(name: str) -> str:
        settings = config.models.get(name)
        if not isinstance(settings, OpenAISettings):
            return "No model but the documents on this machine"
        host = urlsplit(address(settings, secrets.find)).hostname or ""
        return f"A model {'on this machine' if _is_here(host) else f'at {host}'}"

    return where


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def first_contact(assembly: Assembly, where: Callable[[str], str]) -> FirstContact:
    """Tell newcomers what is kept."""
    known = platforms()
    first = FirstContact(
        enabled=assembly.config.privacy.notice,
        notices=assembly.store.privacy,
        identity=assembly.metering.identity,
        announcing=assembly.announcing,
        whispers={name for name, platform in known.items() if platform.abilities.whispers},
        where=where,
        now=time.time,
    )
    await first.load()
    return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What decides how long something is kept."""

    forgetting: Forgetting
    tidying: Tidying


def _admitting(assembly: Assembly, answering: Answering) -> Admitted:
    """Judge what is written into a memory as a message is judged."""

    async def admitted(request: Request, text: str) -> str:
        event, turn = request.event, request.turn
        written = MessageReceived(
            id=event.id, at=event.at, conversation=event.conversation, author=event.author,
            text=text, message="", addressed=True, private=event.private,
        )  # fmt: skip
        policy = assembly.policies.resolve(event.conversation)
        journal = TurnJournal(assembly.store.lanes, turn, lambda: None)
        return (await answering.moderation.admitted(turn, written, policy, journal)).text

    return admitted


async def keeping(
    assembly: Assembly, answering: Answering, desk: Desk, where: Callable[[str], str]
) -> Keeping:
    """Let people see, change and delete what is kept of them, and delete by age."""
    store = assembly.store
    forgetting = Forgetting(
        privacy=store.privacy,
        identity=assembly.metering.identity,
        drafts=answering.drafts,
        recall=answering.speaking.composing.recall,
        permissions=assembly.permissions,
        notice=answering.first,
        handing=assembly.handing,
        audit=store.people,
        now=time.time,
    )
    await forgetting.load()
    knowing = answering.speaking.composing.knowing
    await knowing.load()
    answering.importing.came_back = forgetting.came_back
    discreet = {name for name, known in platforms().items() if known.abilities.private_replies}
    commands = PrivacyCommands(
        policies=assembly.policies,
        lines=store.privacy,
        forgetting=forgetting,
        buttons=assembly.buttons,
        knowing=knowing,
        admitted=_admitting(assembly, answering),
        disclosure=Disclosure(
            contact=assembly.config.privacy.contact, where=where, discreet=discreet
        ),
    )
    desk.register(commands.known(), commands.pressables())
    tidying = Tidying(
        policies=assembly.policies,
        retention=store.retention,
        privacy=store.privacy,
        clock=SystemClock(),
    )
    return Keeping(forgetting=forgetting, tidying=tidying)
