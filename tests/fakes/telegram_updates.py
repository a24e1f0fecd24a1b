"""How the fake Telegram hands its updates over: kept until they are acknowledged."""

import asyncio
import itertools
from typing import Any

import aiohttp
import orjson

from tests.fakes.telegram_chats import Rejected

WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)
OTHER_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)


class Bell:
    """Wakes everybody who waits for anything to happen."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake them."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, seconds: float) -> None:
        """Wait until the bell rings, or for `seconds`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._waiting.discard(future)


class Updates:
    """Updates on their way to the bot: long polling, or a webhook that is called until it takes."""

    def __init__(self, bell: Bell) -> None:
        self.waiting: dict[int, dict[str, Any]] = {}  # not acknowledged yet
        self.acked: set[int] = set()
        self.webhook: dict[str, Any] = {}
        self.deliveries: list[tuple[int, int]] = []  # update id, status of our call (0: none)
        self._bell = bell
        self._ids = itertools.count(5000)
        self._poll = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def push(self, update: dict[str, Any]) -> int:
        """Add an update; returns its id."""
        id = int(update.setdefault("update_id", next(self._ids)))
        self.waiting[id] = orjson.loads(orjson.dumps(update))
        if self.webhook:
            self._call_webhook(id)
        self._bell.ring()
        return id

    async def poll(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Do what getUpdates does: acknowledge what lies below the offset, then wait for more."""
        if self.webhook:
            raise Rejected(409, WEBHOOK_ACTIVE)
        self._poll += 1
        mine, loop = self._poll, asyncio.get_running_loop()
        self._bell.ring()
        offset, limit = int(args.get("offset", 0)), int(args.get("limit", 100))
        self._acknowledge(*[id for id in self.waiting if id < offset])
        deadline = loop.time() + float(args.get("timeout", 0))
        while not self._ready(offset) and loop.time() < deadline:
            await self._bell.wait(deadline - loop.time())
            if mine != self._poll:
                raise Rejected(409, OTHER_POLLER)
        return [self.waiting[id] for id in self._ready(offset)[:limit]]

    def set_webhook(self, args: dict[str, Any]) -> bool:
        """Do what setWebhook does; what waits is delivered at once."""
        self.webhook = args if args.get("url") else {}
        for id in self.waiting if self.webhook else ():
            self._call_webhook(id)
        return True

    def report(self) -> dict[str, Any]:
        """Do what getWebhookInfo does; the clock of this Telegram counts deliveries."""
        report = {"url": self.webhook.get("url", ""), "pending_update_count": len(self.waiting)}
        failed = [at for at, (_, status) in enumerate(self.deliveries, 1) if status // 100 != 2]
        if not failed:
            return report
        status = self.deliveries[failed[-1] - 1][1]
        said = f"Wrong response from the webhook: {status}" if status else "Connection refused"
        return report | {"last_error_date": failed[-1], "last_error_message": said}

    def delete_webhook(self, args: dict[str, Any]) -> bool:
        """Do what deleteWebhook does."""
        self.webhook = {}
        if args.get("drop_pending_updates"):
            self.waiting.clear()
        return True

    async def close(self) -> None:
        """End long polls and deliveries."""
        self._poll += 1
        self._bell.ring()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ready(self, offset: int) -> list[int]:
        return [id for id in sorted(self.waiting) if id >= offset]

    def _acknowledge(self, *ids: int) -> None:
        for id in ids:
            del self.waiting[id]
        self.acked.update(ids)

    def _call_webhook(self, id: int) -> None:
        task = asyncio.ensure_future(self._deliver(id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, id: int) -> None:
        async with aiohttp.ClientSession() as session:
            while id in self.waiting and self.webhook:
                secret = self.webhook.get("secret_token")
                headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
                url, body = self.webhook["url"], self.waiting[id]
                try:
                    async with session.post(url, json=body, headers=headers) as answer:
                        status = answer.status
                except aiohttp.ClientError:
                    status = 0
                self.deliveries.append((id, status))
                if 200 <= status < 300:
                    self._acknowledge(id)
                self._bell.ring()
                await asyncio.sleep(0.02)
