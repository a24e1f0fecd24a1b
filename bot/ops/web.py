"""Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`; nothing else, and no message.

The port is taken at the start, so that a taken one is told at once; aiohttp and prometheus_client
are imported behind that, while the platforms connect.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate
from socket import socket

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from bot.ops.figures import Figure, Readiness, Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What is shown, and where it comes from."""

    readiness: Callable[[], Awaitable[Readiness]]
    figures: Callable[[], Iterable[Figure | Spread]]

    async def livez(self, _: web.Request) -> web.Response:
        """Answer: whoever reads this has seen the event loop beat."""
        return web.Response(text="alive\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """Answer 200 when the bot can do its work, else 503, and why."""
        found = await self.readiness()
        body = {
            "ready": found.ready,
            "complaints": list(found.complaints),
            "open_events": found.open,
            "oldest_event_seconds": round(found.oldest_s, 3),
        }
        return web.json_response(body, status=200 if found.ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Write everything in the format that the scraper asks for."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": kind})

    def collect(self) -> Iterable[Metric]:
        """Yield families, as prometheus_client's collectors do."""
        for figure in self.figures():
            yield _spread(figure) if isinstance(figure, Spread) else _family(figure)


@asynccontextmanager
async def serving(listener: socket, pages: Pages) -> AsyncIterator[None]:
    """Answer on a bound socket until the block ends."""
    app = web.Application()
    for name in ("livez", "readyz", "metrics"):
        app.router.add_get(f"/{name}", getattr(pages, name))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()


def _family(figure: Figure) -> Metric:
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = kind(figure.name, figure.help, labels=figure.labels)
    for labels, value in figure.values.items():
        family.add_metric(labels, value)
    return family


def _spread(spread: Spread) -> Metric:
    bounds = [*(str(bound) for bound in spread.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
    family = HistogramMetricFamily(spread.name, spread.help)
    family.add_metric((), buckets, sum_value=spread.total)
    return family
