"""Servers that went wrong: bodies without an end, connections that are torn, sizes that are absurd."""

import asyncio
import shutil
import socket
import struct
from contextlib import asynccontextmanager

import httpx2
import openai._base_client
import psutil
import pytest

from bot.backends.openai.bounds import LARGEST_BODY
from bot.backends.openai.connecting import Connecting
from bot.backends.openai.settings import OpenAISettings
from bot.domain.errors import ModelError, ModelRefused
from tests.fakes.closing import serving
from tests.fakes.files import FakeFiles, certified
from tests.fakes.openai import CHAT, MODELS, FakeOpenAI
from tests.fakes.script import ServerError
from tests.integration.test_openai import PROMPT, WORD, answer, failure, opened

MB = 1 << 20
HUGE = 50 * MB
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """Let the SDK wait milliseconds between its retries."""
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.005)


@pytest.fixture
async def fake():
    async with FakeOpenAI() as fake:
        yield fake


def resident():
    """Return the memory of this process in bytes."""
    return psutil.Process().memory_info().rss


@pytest.mark.parametrize("filler", [b" ", b"x"])
async def test_a_body_of_50_mb_is_not_read_to_its_end(fake, filler):
    fake.on_raw(*[filler * MB] * (HUGE // MB), content_type="application/json")
    error = await failure(fake)
    assert f"sent more than {LARGEST_BODY // MB} MB in one piece" in str(error)
    await fake.until_closed()
    assert len(fake.calls) == 1


async def test_an_error_of_50_mb_is_not_read_to_its_end(fake):
    before = resident()
    fake.script.on(CHAT, *[ServerError(500, "x" * HUGE)] * 3)
    assert "in one piece" in str(await failure(fake))
    assert resident() - before < 6 * HUGE  # the server of this test holds each of its answers


async def test_a_list_of_models_of_50_mb_is_not_read_to_its_end(fake):
    fake.models = ("m" * HUGE,)
    assert isinstance(await failure(fake, model=""), ModelError)
    assert {call.method for call in fake.calls} == {MODELS}


async def test_an_event_of_50_mb_is_not_read_to_its_end(fake):
    fake.on_raw(b"data: ", *[b"x" * MB] * (HUGE // MB))
    assert "sent an event without an end" in str(await failure(fake))
    await fake.until_closed()


async def test_an_answer_without_an_end_is_cut_and_the_server_stops(fake):
    fake.answer, fake.chunk = "word " * (HUGE // 50), 1000
    async with opened(fake.base_url) as model:
        said, ended = await answer(model)
    assert (len(said), ended.reason) == (200_000, "length")


def tear(writer):
    """Close a connection with a reset, as a machine that lost power does when it is back."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@asynccontextmanager
async def tearing(*sent):
    """Serve connections that are reset after some bytes; yields the base URL and their number."""
    torn = []

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for data in sent:
            writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the bytes are read before the reset overtakes them
        torn.append(writer)
        tear(writer)

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}/v1", torn


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_what_people_wrote_is_not_sent_where_a_server_redirects_to(fake, status):
    async with FakeFiles() as server, opened(f"http://127.0.0.1:{server.port}/v1") as model:
        elsewhere = f"{fake.base_url}/chat/completions?who=ann"
        server.redirect("/v1/chat/completions", elsewhere, status)
        with pytest.raises(ModelRefused) as refused:
            await answer(model)
    assert f"127.0.0.1:{server.port}/v1 redirects to {fake.base_url}," in str(refused.value)
    assert "base_url" in str(refused.value)
    assert "ann" not in str(refused.value)
    assert (len(server.hits), fake.calls) == (1, [])


async def test_a_list_of_models_that_is_redirected_names_the_base_url(fake):
    async with FakeFiles() as server:
        server.redirect("/v1/models", f"{fake.base_url}/models")
        async with opened(f"http://127.0.0.1:{server.port}/v1", model="") as model:
            with pytest.raises(ModelRefused) as refused:
                await answer(model)
    assert f"redirects to {fake.base_url}, where" in str(refused.value)
    assert fake.calls == []


async def test_a_redirect_on_the_same_server_names_the_whole_address():
    async with FakeFiles() as server, opened(f"http://127.0.0.1:{server.port}/v1") as model:
        server.redirect("/v1/chat/completions", "/v2/chat/completions")
        with pytest.raises(ModelRefused, match=f"redirects to http://127.0.0.1:{server.port}/v2,"):
            await answer(model)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>Hello</html>", "text/html"), (b"Hello", "text/plain"), (b"", "text/plain"),
        (b"{}", "application/json"), (b'{"data": null}', "application/json"),
        (b'["a", "b"]', "application/json"), (b'{"data": [1]}', "application/json"),
        (b'{"data": {"id": "m"}}', "application/json"), (b"{", "application/json"),
        (b"data: {}\n\n", "text/event-stream"),
    ],
)  # fmt: skip
async def test_something_else_than_a_list_of_models_is_one_sentence(body, kind):
    async with FakeFiles() as server:
        server.serve("/v1/models", body, kind)
        async with opened(f"http://127.0.0.1:{server.port}/v1", model="") as model:
            with pytest.raises(ModelError, match="base_url"):
                await answer(model)


@pytest.mark.parametrize("location", ["", "http://[", "x" * 4000, "/\n\t new"])
async def test_a_redirect_to_anything_is_one_short_sentence(location):
    async with FakeFiles() as server, opened(f"http://127.0.0.1:{server.port}/v1") as model:
        server.redirect("/v1/chat/completions", location.replace("\n", ""))
        with pytest.raises(ModelRefused) as refused:
            await answer(model)
    assert len(str(refused.value)) < 400


@pytest.mark.skipif(shutil.which("openssl") is None, reason="it makes the certificate")
@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
async def test_nothing_is_sent_to_who_cannot_prove_its_name(tmp_path, scheme):
    async with FakeFiles(tls=certified(tmp_path, "localhost")) as server:
        async with opened(f"{scheme}://localhost:{server.port}/v1") as model:
            with pytest.raises(ModelError, match="no secure connection"):
                await answer(model)
        assert server.hits == []


async def test_a_connection_that_is_reset_at_once_is_tried_three_times():
    async with tearing() as (url, torn), opened(url) as model:
        with pytest.raises(ModelError, match="closed the connection before the end"):
            await answer(model)
    assert len(torn) == 3


async def test_a_connection_that_is_reset_in_the_middle_interrupts_the_answer():
    event = b"%x\r\n%b\r\n" % (len(WORD), WORD)
    async with tearing(HEAD, event) as (url, torn), opened(url) as model:
        said, ended = await answer(model)
    assert (said, ended.reason, len(torn)) == ("secret words", "interrupted", 1)
    assert ended.usage.estimated


@pytest.mark.parametrize("tokens", [-5, 10**30, 1e308])
async def test_an_absurd_count_of_tokens_is_replaced_by_an_estimate(fake, tokens):
    count = repr(tokens).encode()
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": %b, "completion_tokens": 1}}\n\n'
    fake.on_raw(WORD + usage % count + b"data: [DONE]\n\n")
    async with opened(fake.base_url) as model:
        _, ended = await answer(model, PROMPT)
    assert (ended.reason, ended.usage.estimated) == ("complete", True)


@asynccontextmanager
async def refusing(status):
    """Serve a proxy that refuses everything."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
        writer.close()

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}"


async def test_a_client_that_is_closed_sends_nothing_any_more(fake, monkeypatch):
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.2)
    fake.script.on(CHAT, ServerError(500))
    async with opened(fake.base_url) as model:
        asking = asyncio.ensure_future(answer(model))
        await fake.until_called()
        await asyncio.sleep(0.05)  # it waits for its second try
        await model.close()
        with pytest.raises(ModelError, match="closed the connection"):
            await asking
    assert len(fake.calls) == 1


@pytest.mark.parametrize("silent_s", [0.5, 5.0, 60.0])
async def test_a_server_may_be_silent_as_long_as_is_configured(silent_s):
    settings = OpenAISettings(base_url="http://127.0.0.1:9/v1", model="m", timeout_s=silent_s)
    line = Connecting("big", settings, {}.get, "/chat/completions")
    client = await line.open()
    assert client.timeout == httpx2.Timeout(silent_s, connect=5.0)
    await line.close()


async def test_a_name_that_is_not_known_is_one_sentence():
    async with opened("https://models.invalid/v1") as model:
        with pytest.raises(ModelError, match=r"the name models\.invalid is not known"):
            await answer(model)


async def test_a_proxy_that_wants_a_password_is_one_sentence(monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with refusing(b"407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        async with opened("https://models.example/v1") as model:
            with pytest.raises(ModelError, match="the proxy wants a name and password"):
                await answer(model)
