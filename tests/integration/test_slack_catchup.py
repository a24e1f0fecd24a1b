"""Messages that nobody listened to: read back over the real SDK from a fake workspace."""

import asyncio
import logging

import pytest

from adapters.slack import catchup, receiver
from adapters.slack import marks as marks_module
from bot.domain.conversation import Conversation
from tests.fakes.script import Delay, Refuse, ServerError, TooMany
from tests.fakes.slack import BOT, BOT_USER, FakeSlack
from tests.integration.slack_rig import Inbox, Marks, listening

ASK = f"<@{BOT_USER}>"
HISTORY, REPLIES = "conversations.history", "conversations.replies"


async def met(slack, marks, *places):
    """Let the bot hear one message in each place (channel, thread) and stop."""
    inbox = Inbox()
    async with listening(slack, inbox, marks=marks):
        for channel, thread in places:
            slack.say("hello", channel, thread=thread)
        await slack.until(lambda: len(inbox.events) == len(places))
    assert all(f"slack:T1:{channel}:" in marks.newest for channel, _ in places)


async def caught_up(slack, marks, count, **settings):
    """Start again and stop as soon as so many messages came; returns their texts in order."""
    inbox = Inbox()
    async with listening(slack, inbox, marks=marks, **settings):
        await slack.until(lambda: len(inbox.events) >= count)
        await slack.until(lambda: slack.called("users.conversations"))
    return inbox.texts


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_what_was_written_while_the_bot_was_away_is_read_once_and_in_order(mode):
    marks = Marks()
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None), ("C1", None))
        root = slack.say(f"{ASK} one", "C1", missed=True)
        slack.say("two", "C1", thread=root, missed=True)
        slack.say(f"{ASK} three", "C1", missed=True)
        slack.say("four", "D1", missed=True)
        slack.say("five", "D1", missed=True)
        texts = await caught_up(slack, marks, 5, mode=mode)
        assert sorted(texts) == ["five", "four", "one", "three", "two"]
        assert texts.index("four") < texts.index("five")
        assert texts.index("one") < texts.index("two") < texts.index("three")
        inbox = Inbox()
        slack.request_url = ""
        async with listening(slack, inbox, marks=marks):
            await slack.until(lambda: len(slack.called("users.conversations")) == 2)
        assert inbox.offered == []


async def test_a_message_read_back_is_the_event_that_slack_would_have_sent():
    marks, live, read = Marks(), Inbox(), Inbox()
    async with FakeSlack() as slack:
        await met(slack, marks, ("C1", None), ("D1", None))
        before = dict(marks.newest)
        async with listening(slack, live, marks=marks):
            root = slack.say(f"{ASK} look &amp; see", "C1", also_mention=True,
                             files=[{"name": "a.pdf"}])  # fmt: skip
            slack.say("in the thread", "C1", thread=root)
            slack.say("in private", "D1", subtype="file_share")
            await slack.until(lambda: len(live.events) == 3)
        marks.newest = before
        async with listening(slack, read, marks=marks):
            await slack.until(lambda: len(read.events) == 3)
    assert read.events == live.events


async def test_a_thread_older_than_what_is_read_of_its_channel_is_looked_into():
    marks = Marks()
    async with FakeSlack() as slack:
        root = slack.say(f"{ASK} long ago", "C1", missed=True)
        await met(slack, marks, ("C1", root))
        slack.workspace.messages["C1"] = [
            message for message in slack.workspace.messages["C1"] if message["ts"] != root
        ]
        slack.say("are you still there?", "C1", thread=root, missed=True)
        assert await caught_up(slack, marks, 1) == ["are you still there?"]


async def test_a_live_message_waits_for_the_older_ones_of_its_conversation():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack(ack_timeout=5) as slack:
        await met(slack, marks, ("D1", None), ("D2", None))
        slack.say("first", "D1", missed=True)
        slack.script.on(HISTORY, Delay(0.3), Delay(0.3))
        async with listening(slack, inbox, marks=marks):
            slack.say("second", "D1")
            await slack.until(lambda: len(inbox.events) == 2)
            await slack.until(lambda: slack.acks)
    assert inbox.texts == ["first", "second"]


@pytest.mark.parametrize("place", ["a new thread", "a fresh bot"])
async def test_reading_back_does_not_delay_what_has_nothing_to_wait_for(place):
    marks, inbox = Marks(), Inbox()
    async with FakeSlack(ack_timeout=5) as slack:
        if place == "a new thread":
            await met(slack, marks, ("C1", None), ("D2", None))
            slack.say(f"{ASK} missed", "C1", missed=True)
        slack.script.on(HISTORY, *[Delay(0.5)] * 3)
        async with listening(slack, inbox, marks=marks):
            slack.say(f"{ASK} live", "C1")
            await slack.until(lambda: inbox.events, within=0.4)
            assert inbox.texts == ["live"]
            if place == "a new thread":
                await slack.until(lambda: "missed" in inbox.texts)
    assert "live" in inbox.texts


async def test_a_conversation_that_began_meanwhile_is_read_before_its_live_messages():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack(ack_timeout=5) as slack:
        await met(slack, marks, ("D1", None))
        slack.say("who are you?", "D2", missed=True)
        slack.say("hello?", "D3", missed=True)
        slack.script.on(HISTORY, Delay(0.2))
        async with listening(slack, inbox, marks=marks):
            slack.say("anybody?", "D2")
            await slack.until(lambda: len(inbox.events) == 3)
    texts = inbox.texts
    assert sorted(texts) == ["anybody?", "hello?", "who are you?"]
    assert texts.index("who are you?") < texts.index("anybody?")


@pytest.mark.parametrize("how", ["cut", "close", "disconnect"])
async def test_a_lost_connection_is_a_gap_too(how):
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox):
        slack.say("before")
        await slack.until(lambda: inbox.events)
        slack.say("meanwhile", missed=True)
        if how == "cut":
            slack.cut()
        elif how == "close":
            await slack.sockets[0].close()
        else:
            await slack.disconnect()
        await slack.until(lambda: "meanwhile" in inbox.texts)


async def test_ours_and_other_bots_messages_are_not_read_back():
    marks = Marks()
    async with FakeSlack() as slack:
        await met(slack, marks, ("C1", None))
        slack.say("ours", "C1", user=BOT_USER, bot_id=BOT, missed=True)
        slack.say(f"{ASK} hi from a bot", "C1", user="U9", bot_id="B9", missed=True)
        slack.say("Ann joined", "C1", subtype="channel_join", missed=True)
        slack.say("of a person", "C1", missed=True)
        assert await caught_up(slack, marks, 1) == ["of a person"]


async def test_reading_back_is_bounded_and_takes_the_newest(caplog):
    marks = Marks()
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None))
        for number in range(7):
            slack.say(f"{number}", missed=True)
        assert await caught_up(slack, marks, 3, backfill_messages=3) == ["4", "5", "6"]
        assert "more missed messages" in caplog.text


@pytest.mark.parametrize("setting", [{"backfill_messages": 0}, {"backfill_hours": 0.0}])
async def test_reading_back_can_be_switched_off(setting):
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None))
        slack.say("missed", missed=True)
        async with listening(slack, inbox, marks=marks, **setting):
            slack.say("live")
            await slack.until(lambda: inbox.events)
        if "backfill_messages" in setting:
            assert not slack.called(HISTORY)
    assert inbox.texts == ["live"]


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel", "channel_not_found"])
async def test_a_channel_that_may_not_be_read_costs_one_line_and_nothing_else(error, caplog):
    marks, inbox = Marks(), Inbox()
    caplog.set_level(logging.INFO)
    async with FakeSlack() as slack:
        await met(slack, marks, ("C1", None), ("D1", None))
        slack.script.on(HISTORY, Refuse(error))  # of the channel that was active last
        slack.say("closed", "D1", missed=True)
        slack.say(f"{ASK} open", "C1", missed=True)
        async with listening(slack, inbox, marks=marks):
            await slack.until(lambda: inbox.events)
            slack.say("live", "D1")
            await slack.until(lambda: "live" in inbox.texts)
            for _ in range(2):
                slack.cut()
                seen = slack.connections
                await slack.until(lambda seen=seen: slack.connections > seen)
    assert inbox.texts == ["open", "live"]
    assert caplog.text.count("cannot be read back") == 1
    assert error in caplog.text


async def test_a_limit_is_obeyed_while_a_live_message_keeps_waiting():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None))
        slack.say("first", missed=True)
        slack.script.on(HISTORY, TooMany(0.4))
        async with listening(slack, inbox, marks=marks):
            started = asyncio.get_running_loop().time()
            slack.say("second")
            await slack.until(lambda: len(inbox.events) == 2)
            assert asyncio.get_running_loop().time() - started >= 0.35
    assert inbox.texts == ["first", "second"]


async def test_many_channels_are_read_at_leisure_but_one_with_a_live_message_at_once(monkeypatch):
    monkeypatch.setattr(catchup, "BURST", 2)
    monkeypatch.setattr(catchup, "PACE", 0.3)
    marks, inbox = Marks(), Inbox()
    async with FakeSlack(ack_timeout=5) as slack:
        await met(slack, marks, *[(f"D{number}", None) for number in range(6)])
        for number in range(6):
            slack.say(f"missed {number}", f"D{number}", missed=True)
        async with listening(slack, inbox, marks=marks):
            slack.say("live", "D0")  # the one that was silent for the longest
            await slack.until(lambda: "live" in inbox.texts, within=0.5)
            assert "missed 1" not in inbox.texts
            await slack.until(lambda: len(inbox.events) == 7)
    assert inbox.texts.index("missed 0") < inbox.texts.index("live")


async def test_while_slack_does_not_answer_live_messages_pass_and_the_gap_stays():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None))
        before = dict(marks.newest)
        slack.say("first", missed=True)
        slack.script.on(HISTORY, *[ServerError(502)] * 3)
        async with listening(slack, inbox, marks=marks):
            slack.say("second")
            await slack.until(lambda: inbox.events)
            assert inbox.texts == ["second"]
        assert marks.newest == before
        slack.script = type(slack.script)()
        assert await caught_up(slack, marks, 2) == ["first", "second"]


async def test_a_busy_store_is_asked_again_for_what_was_read_back():
    marks, inbox = Marks(), Inbox(busy=2)
    async with FakeSlack() as slack:
        await met(slack, marks, ("D1", None))
        slack.say("first", missed=True)
        slack.say("second", missed=True)
        async with listening(slack, inbox, marks=marks):
            await slack.until(lambda: len(inbox.events) == 2)
    assert inbox.texts == ["first", "second"]


async def test_a_mark_never_passes_a_message_that_was_not_stored():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack(retries=0, ack_timeout=0.05) as slack:
        await met(slack, marks, ("D1", None))
        async with listening(slack, inbox, marks=marks):
            await slack.until(lambda: slack.called("users.conversations"))
            inbox.busy = 1
            slack.say("refused")
            await slack.until(lambda: slack.dropped)
            slack.say("accepted")
            await slack.until(lambda: inbox.events)
        assert await caught_up(slack, marks, 2) == ["refused", "accepted"]


async def test_what_slack_sends_no_more_after_a_busy_store_is_read_back_meanwhile(monkeypatch):
    monkeypatch.setattr(marks_module, "STUCK", 0.2)
    inbox = Inbox(busy=1)
    async with FakeSlack(retries=0, ack_timeout=0.05) as slack, listening(slack, inbox):
        slack.say("hello", "D1")
        await slack.until(lambda: slack.dropped)
        await slack.until(lambda: inbox.events)
        assert slack.connections == 1
    assert inbox.texts == ["hello"]


async def test_a_channel_that_the_bot_joined_is_known_from_then_on():
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack:
        async with listening(slack, inbox, marks=marks):
            slack.envelope({"type": "member_joined_channel", "channel": "C4", "user": BOT_USER,
                            "event_ts": slack.workspace.ts()})  # fmt: skip
            await slack.until(lambda: inbox.events)
        slack.say(f"{ASK} welcome", "C4", missed=True)
        assert await caught_up(slack, marks, 1) == ["welcome"]


async def test_marks_are_written_together_and_not_one_by_one(monkeypatch):
    monkeypatch.setattr(receiver, "FLUSH_EVERY", 600.0)  # however slow this machine is now
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack:
        async with listening(slack, inbox, marks=marks):
            for number in range(200):
                slack.say(f"{number}", f"D{number % 4}")
            await slack.until(lambda: len(inbox.events) == 200)
        assert marks.writes <= 4 * 2  # the first of each channel, and at the end
        newest = {id: kept[-1]["ts"] for id, kept in slack.workspace.messages.items()}
    assert marks.newest == {f"slack:T1:{id}:": ts for id, ts in newest.items()}


async def test_a_channel_has_a_mark_from_its_first_message_on(monkeypatch):
    monkeypatch.setattr(receiver, "FLUSH_EVERY", 600.0)
    marks, inbox = Marks(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, marks=marks):
        ts = slack.say("first", "D1")
        await slack.until(lambda: len(slack.acks) == 1)
        assert marks.newest == {"slack:T1:D1:": ts}  # as a process that is killed now leaves it


async def test_only_threads_that_concern_the_bot_get_a_mark():
    class Strict(Inbox):
        async def accept(self, event):
            return event.addressed and await super().accept(event)

    marks, inbox = Marks(), Strict()
    async with FakeSlack() as slack, listening(slack, inbox, marks=marks):
        slack.say("among people", "C1")
        root = slack.say(f"{ASK} you", "C1")
        await slack.until(lambda: len(slack.acks) == 2)
        reply = slack.say("go on", "C1", thread=root)
        await slack.until(lambda: len(slack.acks) == 3)
        await slack.until(lambda: len(marks.newest) == 2)
    assert marks.newest == {"slack:T1:C1:": reply, f"slack:T1:C1:{root}": reply}
    assert {Conversation.parse(name).channel for name in marks.newest} == {"C1"}
