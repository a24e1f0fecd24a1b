"""What is wrong with [moderation]: guards that nobody knows or that lack what they need."""

from collections.abc import Iterator, Mapping

from bot.backends.openai.settings import url_problems
from bot.config.reader import join
from bot.config.sections import Config, ModerationSettings
from bot.domain.moderation import CATEGORIES
from bot.domain.policy import ModerationPolicy
from bot.ports.platform import Descriptor

GUARDS = ("local", "openai", "judge", "none")
SCORE = "is not between 0 and 1"


def guards_of(config: Config) -> frozenset[str]:
    """Return the names of all guards that are asked anywhere."""
    policies = [config.moderation, *(policy for _, policy in _elsewhere(config))]
    return frozenset(name for policy in policies for name in policy.guards)


def problems(
    config: Config, models: tuple[str, ...], platforms: Mapping[str, Descriptor]
) -> Iterator[str]:
    """Yield one line per problem."""
    for key, policy in (("moderation", config.moderation), *_elsewhere(config)):
        yield from _policy(key, policy)
    settings = config.moderating
    used = guards_of(config)
    if "judge" in used and not settings.judge_model:
        yield 'moderation.judge_model: is empty; name the model that provider "judge" asks'
    if settings.judge_model and settings.judge_model not in models:
        name, known = settings.judge_model, ", ".join(models) or "none"
        yield f"moderation.judge_model: there is no model {name!r}; known are {known}"
    if settings.base_url:
        yield from (f"moderation.{line}" for line in url_problems(settings.base_url))
    yield from _sizes(settings)
    yield from _channel(config, platforms)


def remarks(config: Config, platforms: Mapping[str, Descriptor]) -> Iterator[str]:
    """Yield what a platform cannot do of what moderation would do; the rest of it still works."""
    if not guards_of(config):
        return
    for name, settings in config.adapters.items():
        if settings.enabled and not platforms[name].abilities.private_replies:
            yield (
                f"moderation: {name} cannot tell something to one person in a group, so everybody "
                "there sees that a message was not answered"
            )


def _elsewhere(config: Config) -> Iterator[tuple[str, ModerationPolicy]]:
    for pattern, table in config.channels.items():
        if "moderation" in table:
            key = f"{join('channels', pattern)}.moderation"
            yield key, ModerationPolicy(**table["moderation"])


def _policy(key: str, policy: ModerationPolicy) -> Iterator[str]:
    for name in policy.guards:
        if name not in GUARDS:
            yield f"{key}.provider: there is no guard {name!r}; known are {', '.join(GUARDS)}"
    if not 0 <= policy.threshold <= 1:
        yield f"{key}.threshold: {policy.threshold:g} {SCORE}"
    if policy.shadow_days < 0:
        yield f"{key}.shadow_days: {policy.shadow_days} is below 0; write 0 for never"
    for category, rule in policy.categories.items():
        if category not in CATEGORIES:
            yield f"{key}.categories.{category}: is no category; known are {', '.join(CATEGORIES)}"
        if not 0 <= rule.threshold <= 1:
            yield f"{key}.categories.{category}.threshold: {rule.threshold:g} {SCORE}"


def _sizes(settings: ModerationSettings) -> Iterator[str]:
    if not settings.timeout_s > 0:
        yield f"moderation.timeout_s: {settings.timeout_s:g} is not above 0; 5 is usual"
    if not settings.api_key_env:
        yield "moderation.api_key_env: is empty; name the variable that holds the key"
    if settings.strikes < 0:
        yield f"moderation.strikes: {settings.strikes} is below 0; write 0 for no time-outs"
    for name in ("strike_days", "timeout_minutes"):
        if getattr(settings, name) < 1:
            yield f"moderation.{name}: {getattr(settings, name)} is too small; write 1 or more"


def _channel(config: Config, platforms: Mapping[str, Descriptor]) -> Iterator[str]:
    if not config.moderating.channel or not guards_of(config):
        return
    key, (platform, *rest) = "moderation.channel", config.moderating.channel.split(":")
    if platform not in platforms or len(rest) not in (2, 3) or not rest[1]:
        yield f"{key}: is no place; write platform:workspace:channel"
    elif not platforms[platform].abilities.buttons:
        yield f"{key}: {platform} shows no buttons to decide with; use another platform"
    elif not getattr(config.adapters.get(platform), "enabled", False):
        yield f"{key}: {platform} is not enabled; set adapters.{platform}.enabled = true"
