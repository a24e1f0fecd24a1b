"""What the configuration says of places and people, as the core wants it."""

from collections.abc import Iterator
from dataclasses import replace

from bot.config import Config
from bot.core.policies import Policies
from bot.domain.permissions import ROLES, Roles
from bot.domain.policy import Policy
from bot.ports.store import Settings
from bot.ports.upkeep import Places


def default_policies(config: Config, settings: Settings, places: Places) -> Policies:
    """Return the policies of the file; `load` adds what was changed in chat."""
    prompts = {name: persona.system_prompt for name, persona in config.personas.items()}
    prompts.setdefault("default", config.bot.system_prompt)
    prompts = {name: text.replace("{name}", config.bot.name) for name, text in prompts.items()}
    default = Policy(
        model=config.chat.model or next(iter(config.models)),
        system_prompt=prompts["default"],
        memory=config.memory,
        access=config.access,
        moderation=config.moderation,
        outgoing=config.outgoing,
        knowledge=config.knowledge,
        chain=config.chat.chain,
    )
    return Policies(
        default=default, channels=config.channels, personas=prompts,
        models=tuple(config.models), chains=tuple(config.chains), settings=settings, places=places,
    )  # fmt: skip


def roles_of(config: Config) -> Roles:
    """Return the roles of the file; `bot.admins` are admins too."""
    return replace(config.roles, admin=(*config.roles.admin, *config.bot.admins))


def asks_for_roles(config: Config, platform: str) -> bool:
    """Tell whether the file names roles that a platform gives: only then they are asked for."""
    return any(name.startswith(f"{platform}:") and ":@" in name for name in _named(config))


def _named(config: Config) -> Iterator[str]:
    for role in ROLES:
        yield from getattr(config.roles, role)
    tables = [table.get("access", {}) for table in config.channels.values()]
    for names in (config.access.allow, config.access.block):
        yield from names
    for table in tables:
        yield from (*table.get("allow", ()), *table.get("block", ()))
