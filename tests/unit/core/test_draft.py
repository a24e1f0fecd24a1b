"""How the words of an answer are handed over, and what one that was cut short has cost."""

import asyncio

import pytest

from bot.core.draft import GATHER_S, Draft
from bot.domain.dialogue import IMAGE_TOKENS, Ended, Image, Line, Prompt
from bot.domain.errors import ModelError
from bot.domain.replies import Usage
from bot.ports.store import Turn
from tests.events import message


def draft():
    return Draft(Turn(id=1, lane="l", memory="l", epoch=0, event=message("hi")))


def test_nothing_was_asked_and_nothing_is_estimated():
    assert draft().estimate() == Usage()


def test_four_characters_are_a_token_and_a_picture_has_its_own():
    asked = draft()
    picture = Image(type="image/png", data=b"p")
    lines = (Line("system", "s" * 40), Line("user", "u" * 60))
    asked.asks("main", Prompt(lines=lines, images=(picture, picture)))
    asked.spoken = 80
    assert asked.estimate() == Usage(
        model="main", input_tokens=26 + 2 * IMAGE_TOKENS, output_tokens=21, estimated=True
    )


ENDED = Ended(reason="complete", usage=Usage())
LONG_S = 3600.0


class Speaker:
    """Says one piece, the others once the first one was heard, and the end when it is let."""

    def __init__(self):
        self.heard, self.end = asyncio.Event(), asyncio.Event()

    async def says(self, first, *others):
        yield first
        await self.heard.wait()
        for piece in others:
            yield piece
        await self.end.wait()
        yield ENDED


async def test_the_first_words_come_at_once_and_the_next_together(monkeypatch):
    monkeypatch.setattr("bot.core.draft.GATHER_S", LONG_S)
    asked, speaker = draft(), Speaker()
    words = asked.words(speaker.says("Good", " mor", "ning", "!"), LONG_S)
    async with asyncio.timeout(5):
        assert await anext(words) == "Good"
        speaker.heard.set()
        rest = asyncio.ensure_future(anext(words))
        await asyncio.wait({rest}, timeout=0.05)
        assert not rest.done(), "a piece was handed over by itself"
        speaker.end.set()  # the end waits for no time to pass
        assert await rest == " morning!"
        assert [piece async for piece in words] == []
    assert asked.ended == ENDED
    assert asked.spoken == len("Good morning!")


async def test_words_do_not_wait_for_the_end():
    speaker, loop = Speaker(), asyncio.get_running_loop()
    words = draft().words(speaker.says("Good", " morning"), LONG_S)
    async with asyncio.timeout(5):
        assert await anext(words) == "Good"
        began = loop.time()
        speaker.heard.set()
        assert await anext(words) == " morning"
        assert loop.time() - began >= GATHER_S / 2
    await words.aclose()


async def test_words_before_a_fault_are_handed_over_and_then_the_fault_is_told():
    async def broken():
        yield "Good"
        yield " mor"
        raise ModelError("gone")

    heard = []

    async def listen():
        async for piece in draft().words(broken(), LONG_S):
            heard.append(piece)  # noqa: PERF401 - what came before the fault counts

    with pytest.raises(ModelError, match="gone"):
        await listen()
    assert "".join(heard) == "Good mor"
