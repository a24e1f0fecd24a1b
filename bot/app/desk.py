"""The desk: every command and button, each capability with its own."""

import time

from bot.app import models as modelling
from bot.app.assembly import Assembly
from bot.app.metering import prices
from bot.app.reloading import Reloading
from bot.core.commands import Desk
from bot.core.commands.administration import Administration
from bot.core.commands.choices import ChoiceCommands
from bot.core.commands.conversation import ConversationCommands
from bot.core.commands.handover import HandoverCommands
from bot.core.commands.house import HouseOrders
from bot.core.commands.information import InformationCommands
from bot.core.commands.local import LocalOrders
from bot.core.commands.rights import RightsOrders
from bot.core.commands.sources import SourcesCommand
from bot.core.commands.spending import SpendingCommands
from bot.core.commands.why import WhyCommand
from bot.core.turn import Answering


def desk_of(parts: Assembly, answering: Answering) -> Desk:
    """Run commands, each capability with its own."""
    conversation = ConversationCommands(
        memory=parts.store.records,
        intake=parts.store.lanes,
        lanes=parts.store.lanes,
        policies=parts.policies,
        drafts=answering.drafts,
        pace=parts.pace,
    )
    desk = Desk(
        permissions=parts.permissions,
        senders=parts.senders,
        journal=parts.store.lanes,
        stop=conversation.end,
        buttons=parts.buttons,
        announcing=parts.announcing,
        threads=parts.outside.threads,
    )
    reloading = _reloading(parts, answering)
    information = _information(parts, answering, desk, reloading)
    choices = ChoiceCommands(policies=parts.policies, models=_about(parts))
    spending = SpendingCommands(
        accounts=parts.store.ledger,
        keeper=parts.metering.limits,
        identity=parts.metering.identity,
    )
    local = _local(parts, answering, choices)
    administration, house = _administration(parts, local, spending, reloading)
    handover = HandoverCommands(handing=parts.handing)
    explaining = (_why(parts, answering), _sources(parts, answering))
    for known in (conversation, choices, handover, information, spending, administration,
                  *explaining):  # fmt: skip
        desk.register(known.known())
    desk.register((), (*house.pressables(), *handover.pressables()))
    return desk


def _sources(parts: Assembly, answering: Answering) -> SourcesCommand:
    """Show what answers leaned on."""
    return SourcesCommand(
        traces=parts.store.traces,
        readers=answering.grounding.readers,
    )


def _why(parts: Assembly, answering: Answering) -> WhyCommand:
    """Explain answers."""
    return WhyCommand(
        traces=parts.store.traces,
        price=prices(parts.config),
        readers=answering.grounding.readers,
    )


def _about(parts: Assembly) -> dict[str, str]:
    return {name: modelling.about(model) for name, model in parts.config.models.items()}


def _information(
    parts: Assembly, answering: Answering, desk: Desk, reloading: Reloading
) -> InformationCommands:
    """Tell people about themselves and the bot."""
    return InformationCommands(
        bot_name=lambda: reloading.config.bot.name,
        catalogue=lambda: desk.catalogue,
        policies=parts.policies,
        describe=_about(parts).__getitem__,
        running=lambda: len(answering.drafts),
        failing=parts.outside.health.failing,
        started=time.time(),
    )


def _administration(
    parts: Assembly, local: LocalOrders, spending: SpendingCommands, reloading: Reloading
) -> tuple[Administration, HouseOrders]:
    """Let admins steer the bot."""
    people, now = parts.store.people, time.time
    rights = RightsOrders(
        permissions=parts.permissions, pairings=people, announcing=parts.announcing, now=now
    )
    house = HouseOrders(
        audit=people,
        settings=parts.store.records,
        announcing=parts.announcing,
        buttons=parts.buttons,
        now=now,
        reload=reloading.reload,
    )
    administration = Administration(audit=people, now=now)
    for capability in (rights, local, house, spending):
        administration.register(capability.orders())
    return administration, house


def _reloading(parts: Assembly, answering: Answering) -> Reloading:
    """Let a changed configuration hold."""
    return Reloading(
        config=parts.config,
        policies=parts.policies,
        permissions=parts.permissions,
        limits=parts.metering.limits,
        pace=parts.pace,
        chains=answering.speaking.chains,
        readers=answering.grounding.readers,
        reread=parts.outside.reread,
    )


def _local(parts: Assembly, answering: Answering, choices: ChoiceCommands) -> LocalOrders:
    """Change what holds in one place."""
    return LocalOrders(
        policies=parts.policies,
        choices=choices,
        moderation=answering.moderation,
        listens=parts.overhearing.tell,
        give_back=parts.handing.give_back,
    )
