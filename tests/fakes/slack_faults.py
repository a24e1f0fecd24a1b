"""What the fake Slack does wrong over HTTP before it does what it is asked."""

import asyncio

from aiohttp import web

from tests.fakes.script import Delay, Fault, Refuse, Reset, ServerError, TooMany


async def misbehave(request: web.Request, fault: Fault | None) -> web.Response | None:
    """Wait, or answer at once with an error; None lets the call go on."""
    match fault:
        case Delay(seconds):
            await asyncio.sleep(seconds)
        case Refuse(error):
            return web.json_response({"ok": False, "error": error})
        case TooMany(seconds):
            limited = {"ok": False, "error": "ratelimited"}
            wait = {"Retry-After": f"{seconds:g}"}
            return web.json_response(limited, status=429, headers=wait)
        case ServerError(status, body):
            return web.Response(status=status, text=body, content_type="text/html")
        case Reset() if request.transport:
            request.transport.abort()
            return web.Response()
    return None
