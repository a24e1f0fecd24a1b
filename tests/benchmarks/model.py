"""A model that answers at a set pace and notes how long it took."""

import asyncio
import json
import re
import time
from typing import Self

from aiohttp import web

from tests.benchmarks.ledger import Ledger
from tests.fakes.openai import CATEGORIES

ASKED = b"question "  # the last one in a prompt, with its number, is the one to be answered
USAGE_WANTED = re.compile(rb'"include_usage":\s*true')


class PacedModel:
    """Speaks streamed chat completions.

    The existing fake makes every event anew; this one has them ready, because it must never be
    what a bot waits for.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.pace()

    def pace(self, *, first: float = 0.0, words: int = 20, gap: float = 0.0) -> None:
        """Set seconds before the first word, number of words, and seconds between them."""
        self.first, self.gap = first, gap
        self.words = [event(f"word{n} ") for n in range(words - 1)]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/moderations", self._moderate)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        came = time.perf_counter()
        number = asked(body)
        usage = USAGE if USAGE_WANTED.search(body) else b""
        end = event(f"answer{number}end") + ENDING + usage + DONE
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await asyncio.sleep(self.first)
        await response.prepare(request)
        if self.gap:
            await self._in_time(response)
        else:
            end = b"".join(self.words) + end
        self.ledger.letters[number].model = time.perf_counter() - came
        await response.write(end)
        await response.write_eof()
        return response

    async def _moderate(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=HARMLESS, content_type="application/json")

    async def _in_time(self, response: web.StreamResponse) -> None:
        """Write word by word; a late word does not make the next one late."""
        due = time.perf_counter()
        for word in self.words:
            await response.write(word)
            due += self.gap
            await asyncio.sleep(due - time.perf_counter())


def asked(body: bytes) -> int:
    """Return the number of the last question in a prompt."""
    start = body.rindex(ASKED) + len(ASKED)
    return int(body[start : body.index(b"?", start)])


def event(words: str, *, choices: bool = True, ending: str | None = None, **more: object) -> bytes:
    """Return one event of a stream, as OpenAI writes it."""
    delta = {"index": 0, "delta": {"content": words} if words else {}, "logprobs": None}
    return b"data: %s\n\n" % json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake-model",
        "choices": [{**delta, "finish_reason": ending}] if choices else [], **more,
    }).encode()  # fmt: skip


ENDING = event("", ending="stop")
USAGE = event("", choices=False,
              usage={"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18})  # fmt: skip
HARMLESS = json.dumps({
    "id": "modr-1", "model": "omni-moderation-latest", "results": [{
        "flagged": False, "categories": dict.fromkeys(CATEGORIES, False),
        "category_scores": dict.fromkeys(CATEGORIES, 0.000123),
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }],
}).encode()  # fmt: skip
DONE = b"data: [DONE]\n\n"
