"""Buttons and unasked whispers on Slack: the real SDK on a fake workspace."""

import asyncio
from contextlib import suppress

import pytest

from bot.domain.replies import Button, Finished
from tests.fakes.script import Refuse
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_api import buttons
from tests.integration.slack_rig import Outbox, address, reply, sending

THREAD = "1700000000.000100"
ASK = Button(label="Talk to a person", action="person", value="7")
END = Finished(buttons=(ASK,))


async def answer(sender, *pieces, to, outbox=None, pause=0.0):
    await sender.deliver(to, reply(*pieces, pause=pause), outbox or Outbox())


def below(slack, channel):
    """Return the labels below each of the bot's messages."""
    said = slack.workspace.messages[channel]
    return [[button["text"]["text"] for button in buttons(message)]
            for message in said if message.get("bot_id")]  # fmt: skip


@pytest.mark.parametrize("refusals", [0, 1, 2])
async def test_buttons_stay_when_slack_takes_only_plainer_text(refusals):
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.script.on("chat.postMessage", *[Refuse("invalid_blocks")] * refusals)
        await answer(sender, "one **word**", END, to=address())
        assert below(slack, "D1") == [[ASK.label]]
        calls = slack.called("chat.postMessage")
        assert len(calls) == refusals + 1
        assert all("markdown_text" not in call for call in calls)
        quiet = ("unfurl_links", "unfurl_media", "link_names")
        assert all(call[rule] is False for call in calls for rule in quiet)


async def test_a_stream_ends_with_buttons_and_without_another_call():
    async with FakeSlack() as slack, sending(slack, streaming="native") as sender:
        words = [f"word{n} " for n in range(16)]
        await answer(sender, *words, END, to=address("C1", THREAD), pause=0.01)
        assert [text for _, text in slack.shown("C1")] == ["".join(words)]
        assert below(slack, "C1") == [[ASK.label]]
        assert len(slack.called("chat.stopStream")) == 1
        assert slack.called("chat.update") == slack.called("chat.postMessage") == []


async def test_a_stream_of_a_killed_process_gets_its_buttons_from_the_next():
    async with FakeSlack() as slack:
        to, outbox = address("C1", THREAD), Outbox()
        async with sending(slack, streaming="native") as sender:
            words = ["word "] * 320
            task = asyncio.ensure_future(answer(sender, *words, to=to, outbox=outbox, pause=0.01))
            await slack.until(lambda: outbox.known and outbox.known[0].id)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with sending(slack, streaming="native") as sender:
            await answer(sender, "whole", END, to=to, outbox=Outbox(outbox.known))
        assert [text for _, text in slack.shown("C1")] == ["whole"]
        assert below(slack, "C1") == [[ASK.label]]


async def test_a_hidden_answer_has_buttons_too_by_either_way():
    async with FakeSlack() as slack, sending(slack) as sender:
        to = address("C1", hidden=True, reply_via=slack.slash("help"))
        await answer(sender, "only you", END, to=to)
        slack.expire(to.reply_via)
        await answer(sender, "only you", END, to=to)
        assert [whisper["via"] for whisper in slack.whispers] == [
            "response_url", "chat.postEphemeral",
        ]  # fmt: skip
        for whisper in slack.whispers:
            assert [button["value"] for button in buttons(whisper)] == [ASK.value]


@pytest.mark.parametrize("asked", [True, False])
async def test_a_whisper_is_shown_in_a_thread_only_where_one_has_begun(asked):
    async with FakeSlack() as slack, sending(slack) as sender:
        root = slack.say("a question", "C1")
        to = {"hidden": True, "reply_via": slack.slash("help") if asked else ""}
        await answer(sender, "above", to=address("C1", root, answers=root, **to))
        reply = slack.say("in the thread", "C1", thread=root)
        await answer(sender, "within", to=address("C1", root, answers=reply, **to))
        assert [(w["user"], w["thread"], w["text"]) for w in slack.whispers] == [
            ("U7", None, "above"), ("U7", root, "within"),
        ]  # fmt: skip
        assert slack.shown("C1") == []
