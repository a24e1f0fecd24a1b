"""What lets nothing leave that should not, put together from the policy of a place."""

from collections.abc import Collection

from bot.core import sentences
from bot.core.outgoing import Outgoing
from bot.domain.policy import Policy


def outgoing_of(policy: Policy, secrets: Collection[str]) -> Outgoing:
    """Filter one answer or quotation."""
    return Outgoing(
        policy.outgoing,
        tuple(secrets),
        policy.system_prompt if policy.outgoing.prompt == "withheld" else "",
        ending=sentences.LENGTH,
    )
