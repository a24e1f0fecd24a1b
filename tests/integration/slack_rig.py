"""The Slack adapter with the real SDK on the fake Slack, and the ports in memory."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from adapters.slack.descriptor import DESCRIPTOR
from adapters.slack.settings import SlackSettings
from bot.core.health import Beat
from bot.domain.conversation import Address, Conversation
from bot.domain.errors import StoreBusy
from bot.domain.replies import Finished, Text
from bot.ports.platform import Surroundings
from tests.fakes.slack import SECRET, TEAM

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": SECRET,
}  # fmt: skip


def done():
    """Return something that may be awaited or not, as the ports allow."""
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


class Inbox:
    """Takes events in memory; `busy` says how many more it will refuse."""

    def __init__(self, *, busy=0, delay=0.0):
        self.busy, self.delay = busy, delay
        self.offered = []  # every event that came, also the refused and the known ones
        self.events = {}

    async def accept(self, event):
        self.offered.append(event)
        await asyncio.sleep(self.delay)
        if self.busy:
            self.busy -= 1
            raise StoreBusy("the disk is full")
        return self.events.setdefault(event.id, event) is event

    @property
    def texts(self):
        return [event.text for event in self.events.values()]


class Outbox:
    """Keeps parts; give the `known` of an earlier attempt to resume it."""

    def __init__(self, known=None):
        self.known = dict(known or {})
        self.resumed = known is not None

    def begin(self, part):
        self.known[part.index] = replace(part, id="", at=time.time())
        return done()

    def sent(self, part):
        self.known[part.index] = part
        return done()

    def withdrawn(self, index):
        self.known.pop(index, None)
        return done()


class Marks:
    """Keeps marks in memory, over restarts of an adapter."""

    def __init__(self):
        self.newest = {}
        self.writes = 0

    async def read(self, platform):
        assert platform == "slack"
        return dict(self.newest)

    def put(self, platform, channel, message):
        assert platform == "slack"
        self.newest[channel] = message
        self.writes += 1
        return done()


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def built(slack, *, streaming="edit", marks=None, pulse=None, roles=False, **settings):
    """Build the adapter as the app does."""
    surroundings = Surroundings(
        bot_name="Parley",
        streaming=streaming,
        marks=marks or Marks(),
        pulse=pulse or Beat("slack", time.time),
        roles=roles,
        secret=SECRETS.__getitem__,
    )
    values = {"base_url": slack.base_url} | settings
    return DESCRIPTOR.build(SlackSettings(**values), surroundings)


@asynccontextmanager
async def listening(slack, inbox, *, look_every=60.0, grace=0.1, **settings):
    """Run a receiver until the block ends; what it raises comes out."""
    if settings.get("mode") == "http":
        settings.setdefault("http_port", free_port())
        slack.request_url = f"http://127.0.0.1:{settings['http_port']}/slack/events"
    listener = receiver = built(slack, **settings).receiver
    receiver = getattr(receiver, "receiver", receiver)  # below the one that asks for roles
    receiver.look_every, receiver.grace = look_every, grace
    task = asyncio.ensure_future(listener.listen(inbox))
    try:
        await slack.until(lambda: task.done() or slack.sockets or _open(slack.request_url))
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _open(url):
    """Tell whether somebody listens there, without a connection that may come as they stop."""
    if not url:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
        except OSError:
            return True
    return False


@asynccontextmanager
async def sending(slack, **settings):
    """Give an open sender that waits a tenth of the usual times."""
    sender = built(slack, **{"settle_s": 0.1} | settings).sender
    sender.updated = _hurried(sender.updated)
    sender.streamed = _hurried(sender.streamed)
    await sender.open()
    try:
        yield sender
    finally:
        await sender.close()


def _hurried(manner):
    return replace(
        manner,
        interval=manner.interval / 10,
        patience=manner.patience / 10,
        typing_every=manner.typing_every / 200,
    )


def address(channel="D1", thread="", **more):
    """Name a place in the fake's workspace; `key` is that of a turn."""
    place = Conversation(platform="slack", workspace=TEAM, channel=channel, thread=thread)
    private = channel.startswith("D")
    return Address(
        **{"conversation": place, "person": "U7", "private": private, "key": "k1"} | more
    )


async def reply(*pieces, pause=0.0, reason="complete"):
    """Say pieces, strings as text, and finish."""
    for piece in pieces:
        yield Text(piece) if isinstance(piece, str) else piece
        await asyncio.sleep(pause)
    yield Finished(reason=reason)
