"""Adapters as the engine runs them: found by entry point, connected, then listening."""

import asyncio
import logging
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from bot.domain.commands import Catalogue
from bot.domain.errors import DeliveryError
from bot.ports.platform import Adapter, Descriptor, Inbox, Sender

log = logging.getLogger(__name__)
REOPEN_S = 5.0  # pause before a platform that could not be reached at the start is tried again


def platforms() -> dict[str, Descriptor]:
    """Load the descriptors of all installed platforms; this imports no SDK."""
    return {entry.name: entry.load() for entry in entry_points(group="parley.adapters")}


@dataclass(slots=True, kw_only=True)
class Platform:
    """One running adapter: opens its sender, then listens until it is cancelled."""

    name: str
    adapter: Adapter
    catalogue: Catalogue
    opened: asyncio.Event

    async def run(self, inbox: Inbox) -> None:
        """Connect, however long it takes, publish the commands, and listen."""
        while not self.opened.is_set():
            try:
                await self.adapter.sender.open()
                self.opened.set()
            except DeliveryError as error:
                log.warning("%s cannot be reached, trying again: %s", self.name, error)
                await asyncio.sleep(REOPEN_S)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish(), name=f"{self.name} commands")
            await self.adapter.receiver.listen(inbox)

    async def _publish(self) -> None:
        try:
            await self.adapter.sender.publish(self.catalogue)
        except DeliveryError as error:
            log.warning("%s did not take the commands: %s", self.name, error)


class WaitingSender:
    """A sender whose platform is still being connected: a reply waits for that."""

    def __init__(self, sender: Sender, connected: asyncio.Event) -> None:
        self._connected = connected
        self.open, self.publish, self.close = sender.open, sender.publish, sender.close
        self._deliver = sender.deliver

    async def deliver(self, *reply: Any) -> Any:
        """Deliver once the platform is connected."""
        await self._connected.wait()
        return await self._deliver(*reply)
