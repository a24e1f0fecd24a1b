"""The first message of a reply begins with the answer, in one commit."""

import asyncio

import pytest

from bot.core import journal
from bot.core.journal import Answered, TurnJournal
from bot.domain.replies import Part
from bot.ports.store import Turn
from tests.events import message

POSTED = Part(index=0, end=5, digest="d")


class Steps:
    """A journal that notes what it was given, in order."""

    def __init__(self):
        self.written = []

    def save(self, turn, name, value, *, along=False):
        return self._write(name)

    def save_part(self, turn, part):
        return self._write(part)

    def _write(self, what):
        self.written.append(what)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def turn(**fields):
    return Turn(id=1, lane="l", memory="l", epoch=0, event=message("hi"), **fields)


async def answered(steps, **fields):
    kept = TurnJournal(steps, turn(**fields))
    await kept.answer(Answered(text="Hello", reason="complete"))
    return kept.outbox


async def test_an_announced_message_begins_with_the_answer_and_is_written_once():
    steps = Steps()
    outbox = await answered(steps)
    assert steps.written == [Part(index=0), "answered"]
    assert not outbox.known  # nothing was posted: there is nothing to take away
    await outbox.begin(POSTED)
    assert steps.written == [Part(index=0), "answered"]
    assert outbox.known == {0: POSTED}


async def test_a_second_try_is_written_with_its_own_time():
    steps = Steps()
    outbox = await answered(steps)
    await outbox.begin(POSTED)
    await outbox.begin(POSTED)
    assert steps.written[2:] == [POSTED]


async def test_a_post_that_had_to_wait_is_written_with_its_own_time(monkeypatch):
    steps = Steps()
    outbox = await answered(steps)
    late = journal.time.monotonic() + journal.AT_ONCE_S
    monkeypatch.setattr(journal.time, "monotonic", lambda: late)
    await outbox.begin(POSTED)
    assert steps.written[2:] == [POSTED]


@pytest.mark.parametrize("part", [Part(index=0, id="m0"), Part(index=0)])
async def test_nothing_is_announced_where_something_was_begun(part):
    steps = Steps()
    outbox = await answered(steps, parts=(part,))
    assert steps.written == ["answered"]
    await outbox.begin(POSTED)
    assert steps.written == ["answered", POSTED]


async def test_another_message_than_the_first_is_not_the_announced_one():
    steps = Steps()
    outbox = await answered(steps)
    await outbox.begin(Part(index=1))
    assert steps.written[2:] == [Part(index=1)]
