"""HTTP events: Slack's requests come to a port of ours, signed.

Put a proxy with TLS before it. Nothing is parsed before its signature and its age are checked
(https://docs.slack.dev/authentication/verifying-requests-from-slack).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.domain.errors import ConfigError

BODY_LIMIT = 1 << 20  # bytes; aiohttp answers 413 above it
LAST_ANSWERS = 2.0  # seconds for requests that are still being stored when we stop

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class HttpLine:
    """An address that Slack posts to."""

    signing_secret: str = field(repr=False)
    host: str
    port: int
    path: str
    watched: bool = field(default=False, init=False)

    async def serve(self, app: AsyncApp, connected: Callable[[], None]) -> None:
        """Let the app answer what comes, for ever. Raises ConfigError when the port is taken."""
        verifier = SignatureVerifier(self.signing_secret)
        server = web.Application(client_max_size=BODY_LIMIT)
        server.router.add_post(self.path, partial(_answer, app, verifier))
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=LAST_ANSWERS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            connected()
            _log.info("waiting for Slack at http://%s:%s%s", self.host, self.port, self.path)
            await asyncio.Event().wait()
        except OSError as error:
            raise ConfigError(
                f"adapters.slack.http_port: cannot listen at {self.host}:{self.port} "
                f"({error.strerror}); choose another port"
            ) from None
        finally:
            await runner.cleanup()


async def _answer(
    app: AsyncApp, verifier: SignatureVerifier, request: web.Request
) -> web.StreamResponse:
    body = await request.read()
    if not _genuine(verifier, request, body):
        return web.Response(status=401)
    try:
        bolt_request = AsyncBoltRequest(
            body=body.decode(), query=request.query_string, headers=dict(request.headers)
        )
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        _log.warning("a request from Slack cannot be read: %s", type(error).__name__)
        return web.Response(status=400)
    return await to_aiohttp_response(await app.async_dispatch(bolt_request))


def _genuine(verifier: SignatureVerifier, request: web.Request, body: bytes) -> bool:
    """Tell whether Slack signed this body within the last five minutes."""
    stamp = request.headers.get("X-Slack-Request-Timestamp")
    signature = request.headers.get("X-Slack-Signature")
    try:
        return verifier.is_valid(body, stamp, signature)
    except (TypeError, ValueError):  # no number, no ASCII, no UTF-8
        return False
