"""Deletes what was kept long enough, at the start and every hour, and finishes what was begun."""

import logging
from dataclasses import dataclass

from bot.core.policies import Policies
from bot.domain.conversation import Conversation
from bot.ports.clock import Clock
from bot.ports.privacy import Privacy, Retention

log = logging.getLogger(__name__)
EVERY_S = 3600.0  # seconds
LOOK_S = 60.0  # between two looks at what an erasure has left to be done
DAY_S = 86400.0


@dataclass(slots=True, kw_only=True)
class Tidying:
    """Keeps each conversation's lines as long as its settings say, and nothing longer."""

    policies: Policies
    retention: Retention
    privacy: Privacy
    clock: Clock

    async def run(self) -> None:
        """Tidy until cancelled."""
        due = 0.0
        while True:
            now = self.clock.now()
            try:
                if now >= due:
                    await self.tidy(now)
                    due = now + EVERY_S
                await self.privacy.scour()
            except Exception as error:  # noqa: BLE001 - another time will do, but there must be one
                log.warning("nothing could be deleted: %r", error)
            await self.clock.sleep(LOOK_S)

    async def tidy(self, now: float) -> None:
        """Delete what is too old by now."""
        lanes: dict[int, list[str]] = {}
        for lane in await self.retention.lanes():
            days = self.policies.resolve(Conversation.parse(lane)).memory.retention_days
            lanes.setdefault(days, []).append(lane)
        for days, named in lanes.items():
            deleted = await self.retention.expire(named, now - days * DAY_S)
            if deleted:
                log.info("%s lines were older than %s days and are deleted", deleted, days)
        await self.retention.purge(now)
