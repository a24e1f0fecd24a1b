"""Moderation as the configuration wants it: its guards are imported late, like models."""

import asyncio
import importlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.app.assembly import Assembly
from bot.app.metering import metered
from bot.app.models import redacts
from bot.backends.openai.settings import OFFICIAL
from bot.config import Config, Secrets
from bot.config.moderation import guards_of
from bot.core.models import Deferred
from bot.core.moderation.alerting import Alerting
from bot.core.moderation.casebook import Casebook
from bot.core.moderation.decisions import Decisions
from bot.core.moderation.deferred import DeferredGuard
from bot.core.moderation.inbound import Inbound
from bot.core.moderation.judge import Judge
from bot.core.moderation.judging import Judging
from bot.core.moderation.moderation import Moderation
from bot.core.moderation.moderators import Moderators
from bot.core.moderation.modes import DAY, Modes
from bot.core.moderation.redacted import RedactedGuard
from bot.domain.conversation import Conversation
from bot.ports.cases import StrikeRule
from bot.ports.guard import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderating:
    """The two sides of moderation: the turn's and the moderators'."""

    moderation: Moderation
    moderators: Moderators


async def moderating(
    assembly: Assembly,
    secrets: Secrets,
    models: Mapping[str, Deferred],
    stack: AsyncExitStack,
) -> Moderating:
    """Put moderation together and read what it has decided before."""
    clock = assembly.outside.clock
    casebook = _casebook(assembly)
    decisions = Decisions(
        judging=Judging(guards=_guards(assembly, secrets, models, stack)),
        modes=Modes(penalties=assembly.store.cases, now=clock.now),
        casebook=casebook,
        count=assembly.metrics.judged,
    )
    moderation = Moderation(
        inbound=Inbound(decisions=decisions, casebook=casebook),
        decisions=decisions,
        casebook=casebook,
    )
    await moderation.load(assembly.policies.default.moderation)
    return Moderating(
        moderation=moderation,
        moderators=Moderators(casebook=casebook, clock=clock),
    )


def _casebook(assembly: Assembly) -> Casebook:
    config, store, now = assembly.config, assembly.store, assembly.outside.clock.now
    return Casebook(
        cases=store.cases,
        penalties=store.cases,
        audit=store.people,
        identity=assembly.metering.identity,
        permissions=assembly.permissions,
        alerting=Alerting(
            alerts=store.cases,
            announcing=assembly.announcing,
            buttons=assembly.buttons,
            place=_place(config.moderating.channel),
            now=now,
        ),
        rule=_rule(config),
        now=now,
    )


def _guards(
    assembly: Assembly, secrets: Secrets, models: Mapping[str, Deferred], stack: AsyncExitStack
) -> dict[str, Guard]:
    """Begin to open every guard that is asked anywhere; `stack` closes them."""
    config = assembly.config
    used = guards_of(config)
    opened: dict[str, Guard] = {}
    if "local" in used:
        opened["local"] = DeferredGuard("local", _local())
    if "openai" in used:
        opened["openai"] = DeferredGuard("openai", _openai(config, secrets, stack))
    if "judge" in used:
        model = metered(config, models, assembly.metering)[config.moderating.judge_model]
        opened["judge"] = Judge(model=model, policy=config.moderating.judge_policy)
    return opened


async def _local() -> Guard:
    module = await asyncio.to_thread(importlib.import_module, "bot.backends.guards.offline.guard")
    guard: Guard = module.OfflineGuard()
    return guard


async def _openai(config: Config, secrets: Secrets, stack: AsyncExitStack) -> Guard:
    settings = config.moderating
    module = await asyncio.to_thread(importlib.import_module, "bot.backends.guards.openai.guard")
    url = settings.base_url or OFFICIAL
    guard = module.OpenAIGuard(
        base_url=url,
        key=secrets.find(settings.api_key_env) or "",
        model=settings.model,
        timeout_s=settings.timeout_s,
    )
    stack.push_async_callback(guard.close)
    return RedactedGuard(guard) if redacts(config, url) else guard


def _place(pattern: str) -> Conversation | None:
    if not pattern:
        return None
    return Conversation.parse(":".join([*pattern.split(":"), "", ""][:4]))


def _rule(config: Config) -> StrikeRule:
    settings = config.moderating
    return StrikeRule(
        most=settings.strikes,
        within_s=settings.strike_days * DAY,
        timeout_s=settings.timeout_minutes * 60.0,
    )
