"""Bringing in what was said in threads before, from every platform that tells it."""

from collections.abc import Mapping

from bot.core.admission import Admission
from bot.core.importing import Importing
from bot.core.policies import Policies
from bot.ports.platform import Adapter
from bot.ports.store import Intake


def importing_of(
    adapters: Mapping[str, Adapter], admission: Admission, policies: Policies, intake: Intake
) -> Importing:
    """Ask each platform in its own way."""
    told = {name: adapter.history for name, adapter in adapters.items() if adapter.history}
    return Importing(histories=told, admission=admission, policies=policies, intake=intake)
