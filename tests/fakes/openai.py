"""A server that speaks OpenAI's chat completions on loopback, answers as told and fails as told.

    async with FakeOpenAI(answer="Hello!") as fake:
        model = OpenAIModel("fake", OpenAISettings(base_url=fake.base_url, model="m"))

Everything that a call sent is in `calls`; faults of `tests.fakes.script` go through
`fake.script.on("chat.completions", TooMany(0.01), None)`.
"""

import asyncio
import json
import time
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Self

from aiohttp import web

from tests.fakes.closing import close
from tests.fakes.embeddings import embeddings
from tests.fakes.script import (
    Call,
    Delay,
    DropAfterAccept,
    Fault,
    Refuse,
    Reset,
    Script,
    ServerError,
    TooMany,
    Truncate,
)

CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions", "sexual",
    "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
Answer = Callable[[dict[str, Any]], str] | str
CHAT, MODELS, MODERATIONS = "chat.completions", "models", "moderations"
EMBEDDINGS = "embeddings"
TRANSCRIPTIONS = "audio.transcriptions"
Judged = Callable[[str | bytes], dict[str, float]]  # words or a picture → scores by category


def echo(body: dict[str, Any]) -> str:
    """The default answer: the last user line, after a fixed beginning."""
    said = [line["content"] for line in body["messages"] if line["role"] == "user"]
    return f"You said: {said[-1] if said else 'nothing'}"


class FakeOpenAI:
    """The server; an async context manager.

    Args:
        answer: the text of each answer, or a function of the request's body.
        chunk: characters per streamed event.
        delay: seconds before the first event (before the whole answer when nothing is streamed).
        interval: seconds between events; without it all events leave in one write.
        usage: whether a call that asks for its usage gets it.
        models: names that GET /v1/models lists; a call may name any model.

    `scores` says what /v1/moderations answers: scores by category for words or for a picture;
    `vectors` what /v1/embeddings does: a whole answer for a call's body.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        chunk: int = 8,
        delay: float = 0.0,
        interval: float = 0.0,
        usage: bool = True,
        models: tuple[str, ...] = ("fake-model",),
    ) -> None:
        self.answer, self.chunk, self.usage, self.models = answer, chunk, usage, models
        self.delay, self.interval = delay, interval
        self.scores: Judged = lambda _: {}
        self.vectors: Callable[[dict[str, Any]], Any] = embeddings
        self.said: dict[str, Any] = {"text": "Hello there."}  # in every recording
        self.script = Script()
        self.calls: list[Call] = []  # one per request, in order; `args` is the body
        self.keys: list[str] = []  # the Authorization header of each request
        self.headers: list[dict[str, str]] = []  # all headers of each, by their names in small
        self.closed: list[float] = []  # time.monotonic() of each answer that the client broke off
        self.peers: set[tuple[str, int]] = set()  # client addresses: one per connection
        self._raw: deque[tuple[tuple[bytes, ...], str]] = deque()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """What goes into `base_url` of a model: `http://127.0.0.1:<port>/v1`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def on_raw(self, *pieces: bytes, content_type: str = "text/event-stream") -> None:
        """Answer the next chat call with exactly these bytes, one write each, then end cleanly."""
        self._raw.append((pieces, content_type))

    async def until_called(self, times: int = 1, *, seconds: float = 5.0) -> None:
        """Wait until `times` requests have come."""
        await _until(lambda: len(self.calls) >= times, seconds)

    async def until_closed(self, times: int = 1, *, seconds: float = 5.0) -> float:
        """Wait until clients broke `times` answers off; returns when, on time.monotonic()."""
        await _until(lambda: len(self.closed) >= times, seconds)
        return self.closed[times - 1]

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/moderations", self._moderate)
        app.router.add_post("/v1/embeddings", self._embed)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await close(self._runner)

    # -- the routes

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self._note(request, MODELS, {})
        if (failed := await self._fail(request, self.script.next(MODELS))) is not None:
            return failed
        entries = [{"id": name, "object": "model", "owned_by": "fake"} for name in self.models]
        return web.json_response({"object": "list", "data": entries})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self._note(request, CHAT, body)
        fault = self.script.next(CHAT)
        if (failed := await self._fail(request, fault)) is not None:
            return failed
        if self._raw:
            pieces, content_type = self._raw.popleft()
            return await self._stream(request, iter(pieces), content_type)
        text = self.answer if isinstance(self.answer, str) else self.answer(body)
        if not body.get("stream"):
            await asyncio.sleep(self.delay)
            return web.json_response(self._whole(body, text))
        events = list(self._events(body, text))
        if isinstance(fault, Truncate):
            response = await self._stream(request, iter(events[: fault.chunks + 1]), end=False)
            _close(request)
            return response
        if not self.interval:
            events = [b"".join(events)]
        return await self._stream(request, iter(events))

    async def _moderate(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self._note(request, MODERATIONS, body)
        if (failed := await self._fail(request, self.script.next(MODERATIONS))) is not None:
            return failed
        results = [_judged(self.scores(one)) for one in _samples(body["input"])]
        return web.json_response({"id": "modr-1", "model": body["model"], "results": results})

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        form: Any = await request.post()
        sent = form["file"]
        body = {name: form[name] for name in form if name != "file"}
        body |= {"file": sent.filename, "data": sent.file.read()}
        self._note(request, TRANSCRIPTIONS, body)
        if (failed := await self._fail(request, self.script.next(TRANSCRIPTIONS))) is not None:
            return failed
        return web.json_response(self.said)

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self._note(request, EMBEDDINGS, body)
        if (failed := await self._fail(request, self.script.next(EMBEDDINGS))) is not None:
            return failed
        return web.json_response(self.vectors(body))

    def _note(self, request: web.Request, method: str, body: dict[str, Any]) -> None:
        self.calls.append(Call(method, body))
        self.keys.append(request.headers.get("Authorization", ""))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))

    # -- faults

    async def _fail(self, request: web.Request, fault: Fault | None) -> web.StreamResponse | None:
        match fault:
            case Delay(seconds):
                await self._sleep(seconds)
            case TooMany(retry_after):
                after = {"Retry-After-Ms": f"{retry_after * 1000:g}"}
                return _error(429, "rate_limit_exceeded", "Rate limit reached", headers=after)
            case ServerError(status, body) if body.lstrip().startswith("<"):
                return web.Response(status=status, text=body, content_type="text/html")
            case ServerError(status, body):
                return _error(status, "server_error", body or "The server had an error")
            case Refuse(error, status):
                return _error(status, error, error)
            case Reset() | DropAfterAccept():
                _close(request)
                return web.Response()
        return None

    async def _sleep(self, seconds: float) -> None:
        """Wait, and notice when the client does not wait as well."""
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.closed.append(time.monotonic())
            raise

    # -- answers

    async def _stream(
        self,
        request: web.Request,
        pieces: Iterator[bytes],
        content_type: str = "text/event-stream",
        *,
        end: bool = True,
    ) -> web.StreamResponse:
        await self._sleep(self.delay)
        response = web.StreamResponse(headers={"Content-Type": content_type})
        try:
            await response.prepare(request)
            for piece in pieces:
                await response.write(piece)
                await asyncio.sleep(self.interval)
            if end:
                await response.write_eof()
        except (ConnectionError, asyncio.CancelledError):
            self.closed.append(time.monotonic())
            raise
        return response

    def _events(self, body: dict[str, Any], text: str) -> Iterator[bytes]:
        yield _event(body, {"role": "assistant", "content": ""})
        for start in range(0, len(text), self.chunk):
            yield _event(body, {"content": text[start : start + self.chunk]})
        yield _event(body, {}, ending="stop")
        if self.usage and (body.get("stream_options") or {}).get("include_usage"):
            yield _data(
                {**_head(body, "chat.completion.chunk"), "choices": [], **_usage(body, text)}
            )
        yield b"data: [DONE]\n\n"

    def _whole(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**_head(body, "chat.completion"), "choices": [choice], **_usage(body, text)}


def _samples(given: Any) -> list[str | bytes]:
    """Return what each result is about: words, or the bytes of a picture."""
    parts = [given] if isinstance(given, str) else given
    return [
        b64decode(part["image_url"]["url"].partition(",")[2])
        if isinstance(part, dict) and part["type"] == "image_url"
        else part["text"] if isinstance(part, dict) else part
        for part in parts
    ]  # fmt: skip


def _judged(scores: dict[str, float]) -> dict[str, Any]:
    unknown = set(scores) - set(CATEGORIES)
    assert not unknown, f"OpenAI knows no {unknown}"
    all_scores = {name: scores.get(name, 0.0001) for name in CATEGORIES}
    return {
        "flagged": any(score > 0.5 for score in all_scores.values()),
        "categories": {name: score > 0.5 for name, score in all_scores.items()},
        "category_scores": all_scores,
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def tokens(text: str) -> int:
    """The fake's own way of counting: words."""
    return len(text.split())


def _usage(body: dict[str, Any], text: str) -> dict[str, Any]:
    sent = sum(tokens(str(line["content"])) for line in body["messages"])
    counts = {"prompt_tokens": sent, "completion_tokens": tokens(text)}
    return {"usage": {**counts, "total_tokens": sum(counts.values())}}


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body.get("model", "")}


def _event(body: dict[str, Any], delta: dict[str, str], *, ending: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ending}
    return _data({**_head(body, "chat.completion.chunk"), "choices": [choice], "usage": None})


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _error(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def summing(body: dict[str, Any], *, told: Callable[[dict[str, Any]], str] = echo) -> str:
    """Answer as `told`, but condense what is to be summed up: only its FACT words are kept.

    A word such as `FACT-blue` is remembered in reverse (`eulb-TCAF`), as a model would use words of
    its own; what is reversed already stays.
    """
    if not asks_for_summary(body):
        return told(body)
    said = str(body["messages"][-1]["content"]).split()
    plain = [word.strip(".,:;!?") for word in said]
    kept = [word[::-1] if word.startswith("FACT-") else word
            for word in plain if word.startswith("FACT-") or word.endswith("-TCAF")]  # fmt: skip
    return "Notes: " + " ".join(dict.fromkeys(kept))


def asks_for_summary(body: dict[str, Any]) -> bool:
    """Recognise a call that is to sum a conversation up."""
    return "You keep the notes of a chat" in str(body["messages"][0]["content"])
