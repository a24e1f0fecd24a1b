"""Slack's native streams: the real SDK on a fake workspace."""

import asyncio
from contextlib import suppress

import pytest

from adapters.slack.stream import settled
from bot.domain.replies import Finished, Part, Retraction, Text
from tests.fakes.script import DropAfterAccept, Refuse, Reset, TooMany
from tests.fakes.slack import FakeSlack
from tests.integration.slack_rig import Outbox, address, reply, sending

THREAD = "1700000000.000100"
WORDS = [f"word{n} " for n in range(16)]
WHOLE = "".join(WORDS)
TO = address("C1", THREAD)


async def answer(sender, *pieces, to=TO, outbox=None, pause=0.01):
    """Deliver a reply; returns the ids of its messages."""
    receipt = await sender.deliver(to, reply(*pieces, pause=pause), outbox or Outbox())
    return receipt.messages


async def killed(slack, sender):
    """Begin a stream and end it as a killed process does; returns what was journaled."""
    outbox = Outbox()
    task = asyncio.ensure_future(answer(sender, *WORDS * 20, outbox=outbox))
    await slack.until(lambda: outbox.known and outbox.known[0].id)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert slack.called("chat.startStream")
    assert not slack.called("chat.stopStream")
    return outbox


def native(slack):
    return sending(slack, streaming="native")


async def test_a_slow_answer_is_one_stream_that_ends():
    async with FakeSlack() as slack, native(slack) as sender:
        (id_,) = await answer(sender, *WORDS)
        assert slack.shown("C1", THREAD) == [(id_, WHOLE)]
        (start,), (stop,) = slack.called("chat.startStream"), slack.called("chat.stopStream")
        assert (start["recipient_user_id"], start["recipient_team_id"]) == ("U7", "T1")
        assert stop["metadata"]["event_payload"] == {"key": "k1", "part": 0}
        assert slack.called("chat.update") == slack.called("chat.postMessage") == []
        assert len(slack.called("chat.appendStream")) >= 1


async def test_an_answer_that_is_soon_complete_is_one_post():
    async with FakeSlack() as slack, native(slack) as sender:
        await answer(sender, "quick", pause=0)
        assert [call.method for call in slack.calls] == ["auth.test", "chat.postMessage"]


async def test_without_a_thread_there_is_no_stream():
    async with FakeSlack() as slack, native(slack) as sender:
        await answer(sender, *WORDS, to=address("D1"))
        assert slack.called("chat.startStream") == []
        assert [text for _, text in slack.shown("D1")] == [WHOLE]


async def test_a_stream_that_showed_all_before_the_end_is_stopped_too():
    async def paused():
        yield Text(WHOLE)
        await asyncio.sleep(0.15)
        yield Finished()

    async with FakeSlack() as slack, native(slack) as sender:
        await sender.deliver(TO, paused(), Outbox())
        assert len(slack.called("chat.stopStream")) == 1
        assert [text for _, text in slack.shown("C1")] == [WHOLE]


async def test_code_that_is_still_open_grows_without_a_closed_fence_in_it():
    code = [
        "```py",
        "thon\n",
        *(f"print({n})\n" for n in range(12)),
        "``",
        "`\n",
        "Done <",
        "!here",
        ">.",
    ]
    async with FakeSlack() as slack, native(slack) as sender:
        await answer(sender, *code, pause=0.015)
        ((_, text),) = slack.shown("C1")
        assert text == "".join(code).replace("<!here", "<\u200b!here")
        assert slack.called("chat.update") == []


async def test_an_expired_stream_becomes_an_updated_message():
    async with FakeSlack(stream_life=0.05) as slack, native(slack) as sender:
        (id_,) = await answer(sender, *WORDS)
        assert slack.shown("C1") == [(id_, WHOLE)]
        assert slack.called("chat.update")
        assert slack.called("chat.postMessage") == []


@pytest.mark.parametrize("fault", [TooMany(30), Refuse("missing_recipient_team_id")])
async def test_a_stream_that_cannot_start_is_an_edited_message_and_not_tried_at_once_again(fault):
    async with FakeSlack() as slack, native(slack) as sender:
        slack.script.on("chat.startStream", fault)
        for thread in (THREAD, "1700000000.000200"):
            await answer(sender, *WORDS, to=address("C1", thread))
        assert [text for _, text in slack.shown("C1")] == [WHOLE, WHOLE]
        assert len(slack.called("chat.startStream")) == 1
        assert slack.called("chat.update")


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("fault", [DropAfterAccept(), Reset(), TooMany(0.2)])
async def test_words_of_unknown_fate_are_shown_once(method, fault):
    async with FakeSlack() as slack, native(slack) as sender:
        slack.script.on(method, fault)
        (id_,) = await answer(sender, *WORDS)
        assert slack.shown("C1") == [(id_, WHOLE)]


async def test_a_stream_that_is_too_fast_waits_and_stays_a_stream():
    async with FakeSlack() as slack, native(slack) as sender:
        slack.script.on("chat.appendStream", TooMany(0.05))
        await answer(sender, *WORDS)
        assert [text for _, text in slack.shown("C1")] == [WHOLE]
        assert slack.called("chat.update") == []


async def test_an_abandoned_stream_of_an_earlier_question_is_left_alone():
    async with FakeSlack() as slack, native(slack) as sender:
        await killed(slack, sender)
        ((old, fragment),) = slack.shown("C1")
        question = slack.say("?", "C1", thread=THREAD)
        to = address("C1", THREAD, answers=question)
        await answer(sender, "anew", to=to, outbox=Outbox({0: Part(index=0)}))
        (first, second) = slack.shown("C1")
        assert first == (old, fragment)
        assert second[1] == "anew"


@pytest.mark.parametrize("fault", [DropAfterAccept(), Reset()])
async def test_a_start_of_unknown_fate_is_looked_for(fault):
    async with FakeSlack() as slack, native(slack) as sender:
        question = slack.say("?", "C1", thread=THREAD)
        slack.script.on("chat.startStream", fault)
        (id_,) = await answer(sender, *WORDS * 2, to=address("C1", THREAD, answers=question))
        assert slack.shown("C1") == [(id_, WHOLE * 2)]


@pytest.mark.parametrize("life", [300, 0.05])
async def test_a_killed_stream_is_stopped_and_then_updated(life):
    async with FakeSlack(stream_life=life) as slack, native(slack) as sender:
        outbox = await killed(slack, sender)
        if life < 1:
            await asyncio.sleep(life)
        (id_,) = await answer(sender, "The whole answer.", pause=0, outbox=Outbox(outbox.known))
        assert slack.shown("C1") == [(id_, "The whole answer.")]
        assert len(slack.called("chat.startStream")) == 1


async def test_a_killed_stream_is_updated_after_streaming_was_switched_off():
    async with FakeSlack() as slack:
        async with native(slack) as sender:
            outbox = await killed(slack, sender)
        async with sending(slack, streaming="off") as sender:
            await answer(sender, "Quietly.", pause=0, outbox=Outbox(outbox.known))
        assert [text for _, text in slack.shown("C1")] == ["Quietly."]


async def test_a_retraction_replaces_what_was_streamed():
    async with FakeSlack() as slack, native(slack) as sender:
        await answer(sender, *WORDS, Retraction("Never mind."))
        assert [text for _, text in slack.shown("C1")] == ["Never mind."]


async def test_an_answer_longer_than_a_message_streams_on_in_the_next_one():
    paragraphs = [f"Paragraph {n} " + "of words " * 60 + "\n\n" for n in range(30)]
    async with FakeSlack() as slack, native(slack) as sender:
        ids = await answer(sender, *paragraphs, pause=0.006)
        shown = slack.shown("C1")
    assert [id_ for id_, _ in shown] == list(ids)
    assert len(ids) == 2
    assert "".join(" ".join(text for _, text in shown).split()) == "".join(
        "".join(paragraphs).split()
    )


@pytest.mark.parametrize(
    ("shown", "sure"),
    [
        ("plain words", "plain words"),
        ("open\n```py\ncode\n```", "open\n```py\ncode"),
        ("open\n```py\n```", "open\n```py"),
        ("open\n  ~~~~\n  code\n  ``\n  ~~~~", "open\n  ~~~~\n  code"),
        ("``", ""),
        ("ping <!chan", "ping "),
        ("ping &l", "ping "),
        ("ping <!channel> x", "ping <\u200b!channel> x"),
        ("a < b", "a < b"),
        ("say `hi`", "say `hi`"),
        ("say `hi`\n```", "say `hi`"),
        ("word" + "\n" * 100_000 + " " * 100_000, "word"),
    ],
)
def test_only_what_will_stay_is_appended(shown, sure):
    assert settled(shown) == sure
