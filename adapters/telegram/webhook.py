"""A webhook that loses nothing: Telegram hears 200 only after its update was stored.

The server listens on loopback by default; a proxy in front of it ends TLS. Each request must carry
the secret that was given to `setWebhook`, compared in constant time, before anything else of it is
looked at. At shutdown the webhook stays set, so that Telegram keeps what comes meanwhile.

Telegram is asked now and then whether the webhook works; when it does not, it is set again.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson
from aiohttp import web
from telegram.error import BadRequest, InvalidToken, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.inbound import ALLOWED
from adapters.telegram.lookout import Lookout
from adapters.telegram.receiver import Handover
from adapters.telegram.settings import TelegramSettings
from adapters.telegram.trouble import Trouble, unreachable
from bot.domain.errors import ConfigError, StoreError
from bot.ports.platform import Inbox, Pulse

BODY_LIMIT = 1 << 20  # bytes
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
SHUTDOWN = 5.0  # seconds for requests that are being stored
LOOK_EVERY, LOOK_PATIENCE = 50.0, 8.0  # seconds: what is broken is to be known within a minute


@dataclass(slots=True, kw_only=True)
class WebhookReceiver:
    """Takes updates from Telegram's own calls."""

    account: Account
    settings: TelegramSettings
    pulse: Pulse
    secret: str = field(repr=False)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def __post_init__(self) -> None:
        if not self.secret.strip():
            raise ConfigError(
                "adapters.telegram.webhook_secret_env: the secret in "
                f"{self.settings.webhook_secret_env} is empty, so anybody could forge messages; "
                "set 16 to 256 letters, digits, `_` or `-`"
            )
        if not self.settings.webhook_url:
            raise ConfigError(
                "adapters.telegram.webhook_url: is not set; give the https address that Telegram "
                'shall call, or set mode = "polling"'
            )

    async def listen(self, inbox: Inbox) -> None:
        """See `bot.ports.platform.Receiver`; cancelling it lets requests under way end."""
        trouble, lookout = Trouble(self.pulse, self.sleep), Lookout(self.settings.webhook_url)
        try:
            await self._insist(self.account.open, trouble)
            await self._serve(inbox, trouble, lookout)
        except ConfigError as error:
            self.pulse.down(str(error))
            raise
        finally:
            self.pulse.down("the webhook's server has ended")

    async def _serve(self, inbox: Inbox, trouble: Trouble, lookout: Lookout) -> None:
        app = self._app(inbox, lookout)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        try:
            await self._bind(runner)
            await self._insist(self._announce, trouble)
            trouble.over()
            await self._watch(trouble, lookout)
        finally:
            await runner.cleanup()

    def _app(self, inbox: Inbox, lookout: Lookout) -> web.Application:
        handover = Handover(account=self.account, pulse=self.pulse)

        async def take(request: web.Request) -> web.Response:
            given = request.headers.get(SECRET_HEADER, "")
            if not hmac.compare_digest(given.encode(), self.secret.encode()):
                return web.Response(status=401)
            try:
                update = dict(orjson.loads(await request.read()))
            except (TypeError, ValueError):
                return web.Response(status=400)
            try:
                await handover.give([update], inbox)
            except StoreError:
                return web.Response(status=503)  # Telegram sends it again
            lookout.taken += 1
            return web.Response()

        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post(urlsplit(self.settings.webhook_url).path or "/", take)
        return app

    async def _bind(self, runner: web.AppRunner) -> None:
        host, port = self.settings.webhook_host, self.settings.webhook_port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"adapters.telegram.webhook_port: cannot listen on {host}:{port} "
                f"({error.strerror}); choose another port or host"
            ) from None

    async def _announce(self) -> None:
        try:
            await self._set_webhook()
        except BadRequest as error:
            raise ConfigError(
                f"adapters.telegram.webhook_url: Telegram refuses it ({error.message}); it wants "
                "an https address on port 443, 80, 88 or 8443"
            ) from None

    async def _set_webhook(self) -> None:
        wanted = {
            "url": self.settings.webhook_url,
            "secret_token": self.secret,
            "allowed_updates": ALLOWED,
        }
        await self.account.call("setWebhook", wanted)

    async def _insist(self, step: Callable[[], Awaitable[None]], trouble: Trouble) -> None:
        """Do what must be done before updates can come, however long Telegram is away."""
        while True:
            try:
                return await step()
            except InvalidToken:
                raise self.account.refusal() from None
            except TelegramError as error:
                await trouble.wait(unreachable(error), getattr(error, "seconds", None))

    async def _watch(self, trouble: Trouble, lookout: Lookout) -> None:
        while True:
            await self.sleep(LOOK_EVERY)
            if complaint := await self._look(lookout):
                await trouble.wait(complaint)
                with suppress(TelegramError):  # the next look tells whether it helped
                    await self._set_webhook()
            else:
                trouble.over()

    async def _look(self, lookout: Lookout) -> str:
        try:
            return lookout.complaint(await self.account.call("getWebhookInfo", {}, LOOK_PATIENCE))
        except InvalidToken:
            raise self.account.refusal() from None
        except TelegramError as error:
            return unreachable(error)
