"""Sockets that are connected and deliver nothing, frames that nobody can read, and the pulse."""

import asyncio

import pytest

from adapters.slack import socket_mode, watch
from bot.domain.errors import ConfigError
from tests.fakes.script import Delay, Refuse, ServerError
from tests.fakes.slack import BOT, BOT_USER, SECRET, FakeSlack
from tests.fakes.slack_api import signature
from tests.integration.slack_rig import Inbox, Marks, listening

ASK = f"<@{BOT_USER}>"
QUICK = {"look_every": 0.2, "grace": 0.1}


class Pulse:
    """Writes down what it is told, without repetitions."""

    def __init__(self):
        self.beats = []

    def up(self):
        self._note("up")

    def down(self, reason):
        self._note(reason)

    def _note(self, beat):
        if self.beats[-1:] != [beat]:
            self.beats.append(beat)


def deaf(pulse):
    return any("events do not come" in beat for beat in pulse.beats)


async def test_the_times_add_up_to_less_than_a_minute():
    assert 2 * watch.EVERY + watch.GRACE < 60
    assert socket_mode.HELLO < 60


@pytest.mark.parametrize("place", ["D1", "C1", "thread", "another"])
async def test_a_deaf_socket_is_noticed_replaced_and_what_it_kept_back_is_read(place):
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse, **QUICK):
        slack.say("hello", "D1")
        root = slack.say(f"{ASK} hello", "C1")
        await slack.until(lambda: len(inbox.events) == 2)
        assert pulse.beats == ["up"]
        slack.deafen()
        if place == "thread":
            slack.say(f"{ASK} are you deaf?", "C1", thread=root)
        elif place == "another":
            slack.say("are you deaf?", "D7")
        else:
            slack.say(f"{ASK} are you deaf?", place)
        await slack.until(lambda: "are you deaf?" in inbox.texts)
        assert slack.connections == 2
        assert deaf(pulse)
        await slack.until(lambda: pulse.beats[-1] == "up")


async def test_a_bot_that_never_heard_anything_notices_too():
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse, **QUICK):
        slack.deafen()
        slack.say("first words ever", "D5")
        await slack.until(lambda: inbox.events)
        assert deaf(pulse)


async def test_after_a_deaf_socket_a_hello_is_no_proof():
    pulse, inbox = Pulse(), Inbox()
    settings = {"look_every": 0.2, "grace": 0.4}
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse, **settings):
        slack.deafen()
        slack.say("one")
        await slack.until(lambda: slack.connections == 2)
        slack.deafen()
        await slack.until(lambda: inbox.texts == ["one"])
        slack.say("two")
        await slack.until(lambda: slack.connections == 3)
        assert pulse.beats[:2] == ["up", pulse.beats[1]]
        assert "up" not in pulse.beats[1:]
        slack.say("three")
        await slack.until(lambda: pulse.beats[-1] == "up")
    assert inbox.texts == ["one", "two", "three"]


async def test_silence_is_not_taken_for_deafness():
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse, **QUICK):
        slack.say("hello", "D1")
        await slack.until(lambda: inbox.events)
        slack.say("ours", "D1", user=BOT_USER, bot_id=BOT, missed=True)
        slack.say("not for us", "C1", missed=True)  # an app may be told of mentions only
        calls = len(slack.called("conversations.history"))
        await slack.until(lambda: len(slack.called("conversations.history")) >= calls + 4)
        assert slack.connections == 1
        assert pulse.beats == ["up"]


async def test_nothing_is_looked_into_while_events_come():
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, look_every=0.3, grace=0.1):
        for number in range(12):
            slack.say(f"{number}")
            await asyncio.sleep(0.1)
        assert not slack.called("conversations.history")


async def test_a_look_costs_few_calls_however_many_channels_there_are():
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, look_every=0.3, grace=0.1):
        for number in range(40):
            slack.say("hi", f"D{number}")
        await slack.until(lambda: slack.called("conversations.history"))
        await asyncio.sleep(0.15)
        assert len(slack.called("conversations.history")) <= 3
        assert len(slack.called("users.conversations")) <= 1
        asked = len(slack.called("conversations.history"))
        await slack.until(lambda: len(slack.called("conversations.history")) >= asked + 9)
        channels = [args["channel"] for args in slack.called("conversations.history")]
    assert len(set(channels)) >= 8
    assert channels.count("D39") >= 3


async def test_what_is_still_being_read_back_is_not_taken_for_unheard():
    marks, pulse, inbox = Marks(), Pulse(), Inbox()
    async with FakeSlack() as slack:
        async with listening(slack, inbox, marks=marks):
            slack.say("hello", "D1")
            slack.say("hello", "D2")
            await slack.until(lambda: len(inbox.events) == 2)
        slack.say("missed one", "D1", missed=True)
        slack.say("missed two", "D2", missed=True)
        slack.say("missed three", "D3", missed=True)
        slack.script.on("conversations.history", Delay(0.5), Delay(0.5), Delay(0.5))
        slack.script.on("users.conversations", Delay(0.5))
        async with listening(slack, inbox, marks=marks, pulse=pulse, **QUICK):
            await slack.until(lambda: len(inbox.events) == 5)
        assert (slack.connections, pulse.beats) == (2, ["up"])


@pytest.mark.parametrize("fault", [Refuse("missing_scope"), ServerError(502)])
async def test_where_nothing_may_be_looked_into_the_connection_is_left_alone(fault):
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse, **QUICK):
        slack.script.on("conversations.history", *[fault] * 50)
        slack.script.on("users.conversations", *[fault] * 50)
        slack.say("hello")
        await slack.until(lambda: slack.called("conversations.history"))
        await asyncio.sleep(0.5)
        assert (slack.connections, pulse.beats) == (1, ["up"])


async def test_a_socket_without_a_hello_is_given_up(monkeypatch):
    monkeypatch.setattr(socket_mode, "HELLO", 0.3)
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack:
        slack.silent = True
        async with listening(slack, inbox, pulse=pulse):
            await slack.until(lambda: slack.connections == 2)
            assert "says nothing" in pulse.beats[0]
            assert "up" not in pulse.beats
            slack.silent = False
            await slack.until(lambda: pulse.beats[-1] == "up")


async def test_the_pulse_tells_of_lost_connections_and_refused_ones():
    pulse = Pulse()
    async with FakeSlack() as slack:
        with pytest.raises(ConfigError):  # noqa: PT012
            async with listening(slack, Inbox(), pulse=pulse) as task:
                await slack.until(lambda: pulse.beats == ["up"])
                slack.script.on("apps.connections.open", ServerError(502))
                slack.cut()
                await slack.until(lambda: pulse.beats[-1] == "up" and len(pulse.beats) >= 3)
                slack.script.on("auth.test", Refuse("token_revoked"))
                slack.cut()
                await task
    assert any("502" in beat for beat in pulse.beats)
    assert "bot_token_env" in pulse.beats[-1]


async def test_over_http_the_pulse_is_up_as_soon_as_the_port_is_open():
    pulse = Pulse()
    async with FakeSlack() as slack, listening(slack, Inbox(), mode="http", pulse=pulse):
        assert pulse.beats == ["up"]
        slack.say("hello")
        await slack.until(lambda: slack.acks)
    assert pulse.beats == ["up"]


RUBBISH = [
    "", "{", "null", "[]", "{}", "[1,2]", '"x"', '{"type":7}', '{"type":"events_api"}',
    '{"type":"events_api","envelope_id":"e","payload":"x"}',
    '{"type":"events_api","envelope_id":"e","payload":[]}',
    '{"type":"events_api","envelope_id":"e","payload":{"event":[]}}',
    '{"type":"events_api","envelope_id":7,"payload":{"event":{"type":["message"]}}}',
    '{"type":"events_api","envelope_id":"e","payload":{"event":{"type":"message","ts":[]}}}',
    '{"type":"events_api","envelope_id":"e","payload":{"event":{"channel":7},"authorizations":7}}',
    '{"type":"slash_commands","envelope_id":"e","payload":{"command":1}}',
    '{"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","actions":7}}',
    '{"type":"disconnect","reason":{}}' + " " * 70_000,
]  # fmt: skip


async def test_frames_that_nobody_can_read_do_no_harm():
    pulse, inbox = Pulse(), Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, pulse=pulse):
        await slack.until(lambda: pulse.beats)
        for frame in RUBBISH:
            await slack.sockets[-1].send_str(frame)
        await slack.sockets[-1].send_bytes(b"\xff\x00")
        slack.say("still there?")
        await slack.until(lambda: inbox.events)
    assert inbox.texts == ["still there?"]


@pytest.mark.parametrize("rubbish", ["", "null", "[]", "{", '"x"', '{"event": 7}', "\x00",
                                     "payload=%7B", "payload=[1]", "command=&payload=null"])  # fmt: skip
async def test_signed_requests_that_nobody_can_read_do_no_harm(rubbish):
    inbox = Inbox()
    async with FakeSlack() as slack, listening(slack, inbox, mode="http"):
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            await slack.post_raw(rubbish, signature(rubbish, kind, secret=SECRET))
        assert set(slack.statuses) <= {200, 400}
        slack.say("still there?")
        await slack.until(lambda: inbox.events)
