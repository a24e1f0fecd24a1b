"""Adapters as the engine runs them: found by entry point, connected, then listening."""

import asyncio
import logging
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from bot.app.beside import named
from bot.core.dispatcher import is_the_end
from bot.domain.commands import Catalogue
from bot.domain.errors import ConfigError, DeliveryError, Unreachable
from bot.ports.platform import Adapter, Descriptor, Inbox, Pulse, Sender

log = logging.getLogger(__name__)
CONNECT_S = 5.0  # how long a reply waits for its platform before its lane rests
REOPEN_S = 5.0  # pause before a platform that could not be reached at the start is tried again


def platforms() -> dict[str, Descriptor]:
    """Load the descriptors of all installed platforms; this imports no SDK."""
    return {entry.name: entry.load() for entry in entry_points(group="parley.adapters")}


@dataclass(slots=True)
class Platform:
    """One running adapter: opens its sender, then listens until it is cancelled."""

    name: str
    adapter: Adapter
    catalogue: Catalogue
    opened: asyncio.Event
    pulse: Pulse

    async def run(self, inbox: Inbox) -> None:
        """Connect, however long it takes, publish the commands, and listen.

        Raises:
            ConfigError: the platform refuses the token; whatever else goes wrong is tried again.
        """
        while True:
            try:
                return await self._listen(inbox)
            except BaseException as error:
                if _is_the_end(error):
                    raise
                self.pulse.down(f"it broke down ({named(error)}) and is started again")
                log.error("%s broke down, again in %g s: %s", self.name, REOPEN_S, named(error))  # noqa: TRY400
            await asyncio.sleep(REOPEN_S)

    async def _listen(self, inbox: Inbox) -> None:
        await self._connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish(), name=f"{self.name} commands")
            await self.adapter.receiver.listen(inbox)

    async def _connect(self) -> None:
        while not self.opened.is_set():
            try:
                await self.adapter.sender.open()
                self.opened.set()
            except DeliveryError as error:
                log.warning("%s cannot be reached, trying again: %s", self.name, error)
                await asyncio.sleep(REOPEN_S)

    async def _publish(self) -> None:
        try:
            await self.adapter.sender.publish(self.catalogue)
        except Exception as error:  # noqa: BLE001 - a menu is not worth a platform
            log.warning("%s did not take the commands: %s", self.name, type(error).__name__)


class WaitingSender:
    """A sender whose platform is still being connected: a reply waits for that."""

    def __init__(self, sender: Sender, connected: asyncio.Event) -> None:
        self._connected = connected
        self.open, self.publish, self.close = sender.open, sender.publish, sender.close
        self._deliver = sender.deliver

    async def deliver(self, *reply: Any) -> Any:
        """Deliver once the platform is connected; raises Unreachable when that takes long."""
        if not self._connected.is_set():
            try:
                await asyncio.wait_for(self._connected.wait(), CONNECT_S)
            except TimeoutError:
                raise Unreachable("the platform is not connected yet") from None
        return await self._deliver(*reply)


def _is_the_end(error: BaseException) -> bool:
    """Whether the platform is refused for good, or its own task is to end."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(ConfigError) is not None
    return isinstance(error, ConfigError) or is_the_end(error)
