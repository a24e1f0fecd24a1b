"""A server of files on loopback, with any address of it, and names that lead where a test says.

    async with FakeFiles(tls=certified(folder)) as fake:
        fake.serve("/a.txt", b"hello")
        downloader = Downloader(ports=(fake.port,), resolve=Names({"a.example": [fake.address]}), …)

`hits` holds what arrived: paths, and headers as they were sent.
"""

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self

from aiohttp import web

from tests.fakes.closing import close

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeFiles:
    """The server; an async context manager."""

    def __init__(
        self, *, address: str = "127.0.0.1", port: int = 0, tls: tuple[str, str] | None = None
    ) -> None:
        self.address = address
        self.port = port
        self.hits: list[tuple[str, Mapping[str, str]]] = []
        self._tls = tls
        self._handlers: dict[str, Handler] = {}

    def serve(self, path: str, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        """Answer a path with a body."""

        async def answer(request: web.Request) -> web.Response:
            return web.Response(body=body, headers={"Content-Type": kind, **headers})

        self._handlers[path] = answer

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """Send a path elsewhere; a cookie is given along."""

        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": to, "Set-Cookie": "a=b"})

        self._handlers[path] = answer

    def drip(self, path: str, chunks: list[bytes], *, pause: float = 0.0, **headers: str) -> None:
        """Answer piece by piece, for ever when there is a pause."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/plain", **headers})
            await response.prepare(request)
            while chunks:
                for chunk in chunks:
                    await response.write(chunk)
                    await asyncio.sleep(pause)
                if not pause:
                    break
            return response

        self._handlers[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.hits.append((request.path, request.headers.copy()))
        if request.path not in self._handlers:
            return web.Response(status=404)
        return await self._handlers[request.path](request)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if self._tls else None
        if context and self._tls:
            context.load_cert_chain(*self._tls)
        site = web.TCPSite(self._runner, self.address, self.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await close(self._runner)


class Names:
    """A resolver whose answers are written down; each call takes the next, the last one stays."""

    def __init__(self, known: Mapping[str, list[str] | list[list[str]]]) -> None:
        self._known = {
            name: [found] if isinstance(found[0], str) else list(found)
            for name, found in known.items()
        }
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses that a name has now."""
        self.asked.append(host)
        if host not in self._known:
            raise OSError("no such name")
        answers = self._known[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def certified(folder: Path, *names: str) -> tuple[str, str]:
    """Make a certificate for some names, which only who has it trusts; return it and its key."""
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=files", "-keyout", key, "-out", certificate,
         "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return certificate, key
