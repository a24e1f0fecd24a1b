"""How a streamed answer is read: the first words at once, the next together, none of them lost."""

import asyncio
import socket
import struct
from contextlib import aclosing, asynccontextmanager

import orjson
import pytest

from bot.backends.openai.model import OpenAIModel
from bot.backends.openai.settings import OpenAISettings
from bot.backends.openai.wire import GATHER_S
from bot.domain.dialogue import Ended, Line, Prompt
from tests.fakes.closing import serving

PROMPT = Prompt(lines=(Line("user", "hello"),))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG_S = 3600.0


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def saying(words):
    return chunk(b"data: " + orjson.dumps({"choices": [{"delta": {"content": words}}]}) + b"\n\n")


END = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Speaker:
    """A server that says what a test lets it say; `asked` counts its connections."""

    def __init__(self):
        self.connections = self.asked = 0
        self.writer = self.heard = None
        self._news = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections, self.writer = self.connections + 1, writer
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            self.asked += 1
            self._news.set()

    async def say(self, *data):
        await self._news.wait()
        for one in data:  # each in a packet of its own
            self.writer.write(one)
            await self.writer.drain()
            await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(speaker, **settings):
    """Yield the deltas of one answer of a speaker."""
    async with serving(speaker.serve) as port, asyncio.timeout(5):
        settings = OpenAISettings(base_url=f"http://127.0.0.1:{port}/v1", model="m", **settings)
        speaker.heard = model = OpenAIModel("big", settings, look_up={}.get)
        try:
            async with aclosing(model.stream(PROMPT)) as deltas:
                yield deltas
        finally:
            await model.close()


async def begun(speaker, deltas):
    """Let the first word be said and heard; return what waits for the next ones."""
    first = asyncio.ensure_future(anext(deltas))
    await speaker.say(HEAD, saying("Good"))
    assert await first == "Good"
    return asyncio.ensure_future(anext(deltas))


async def test_the_first_words_come_at_once_and_the_next_with_the_end(monkeypatch):
    monkeypatch.setattr("bot.backends.openai.wire.GATHER_S", LONG_S)
    speaker = Speaker()
    async with listening(speaker) as deltas:
        rest = await begun(speaker, deltas)
        await speaker.say(saying(" mor"), saying("ning"))
        assert not rest.done(), "a piece came by itself"
        await speaker.say(saying("!"), END)
        assert await rest == " morning!"
        assert isinstance(await anext(deltas), Ended)


async def test_words_do_not_wait_for_the_end(monkeypatch):
    monkeypatch.setattr("bot.backends.openai.wire.GATHER_S", 0.5)
    speaker, loop = Speaker(), asyncio.get_running_loop()
    async with listening(speaker) as deltas:
        began = loop.time()
        rest = await begun(speaker, deltas)
        await speaker.say(saying(" mor"), saying("ning"))
        assert await rest == " morning"
        assert loop.time() - began >= 0.25


@pytest.mark.parametrize("how", ["ends", "resets"])
async def test_no_word_is_lost_where_a_connection_breaks(how):
    speaker = Speaker()
    async with listening(speaker) as deltas:
        rest = await begun(speaker, deltas)
        await speaker.say(saying(" mor"), saying("ning"))
        if how == "resets":
            linger = struct.pack("ii", 1, 0)
            line = speaker.writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            speaker.writer.transport.abort()
        else:
            speaker.writer.close()
        assert await rest == " morning"
        assert (await anext(deltas)).reason == "interrupted"


async def test_an_answer_whose_client_is_closed_ends():
    speaker = Speaker()
    async with listening(speaker, timeout_s=0.4) as deltas:
        rest = await begun(speaker, deltas)
        await asyncio.sleep(GATHER_S * 1.5)  # it waits for whatever comes
        await speaker.heard.close()
        assert (await rest).reason == "interrupted"


@pytest.mark.parametrize("pause_s", [0.0, GATHER_S * 1.5])
async def test_an_answer_with_a_broken_frame_ends_with_its_words(pause_s):
    speaker = Speaker()
    async with listening(speaker, timeout_s=0.4) as deltas:
        rest = await begun(speaker, deltas)
        await asyncio.sleep(pause_s)
        await speaker.say(b"no length\r\n")
        assert (await rest).reason == "interrupted"


async def test_a_connection_is_used_again_after_an_answer():
    speaker = Speaker()
    async with serving(speaker.serve) as port, asyncio.timeout(5):
        settings = OpenAISettings(base_url=f"http://127.0.0.1:{port}/v1", model="m")
        model = OpenAIModel("big", settings, look_up={}.get)
        for number in range(3):
            asked = asyncio.ensure_future(whole(model))
            while speaker.asked == number:
                await asyncio.sleep(0.001)
            await speaker.say(HEAD, saying("Good"), END)
            assert await asked == ["Good"]
        await model.close()
    assert (speaker.asked, speaker.connections) == (3, 1)


async def whole(model):
    async with aclosing(model.stream(PROMPT)) as deltas:
        return [delta async for delta in deltas if isinstance(delta, str)]
