"""Three platforms in memory, each with the way of its kind to make a repeated request harmless.

`slack` lets its messages be found by metadata, and may carry out a request late; `discord` knows a
nonce for a while, and afterwards lets a reply be found by what it answers; `telegram` shows nothing
to a bot, which therefore posts a placeholder and edits it. Faults are drawn per request, by name.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.kit.live import Manner, deliver
from bot.domain.errors import DeliveryError, RetryLater, Unreachable
from tests.acceptance.proof.virtual import chance

LIMIT = 120  # characters per message, so that long answers have several
PLACEHOLDER = "…"
NONCE_S = 120.0  # seconds for which the nonce of a message is known
MANNERS = {
    "slack": Manner(limit=LIMIT, announces=True, settle=3.0),
    "discord": Manner(limit=LIMIT),
    "telegram": Manner(limit=LIMIT, placeholder=PLACEHOLDER, settle=0.3),
}


@dataclass
class Bubble:
    """One message of the bot as people see it."""

    id: str
    lane: str
    key: str  # of the turn; only Slack tells it to the bot, as metadata
    index: int
    question: str  # the message that it answers
    text: str
    at: float
    history: list = field(default_factory=list)  # (when, text)


@dataclass
class Weather:
    """For some seconds requests meet faults of one kind, with a probability."""

    kind: str  # wait | refused | applied | late | dropped
    begins: float
    ends: float
    likely: float


@dataclass
class Chat:
    """One platform: what it shows, and how it treats requests."""

    name: str
    world: object
    weather: list = field(default_factory=list)
    shown: dict = field(default_factory=dict)  # every message of the bot by id, in order
    asked: Counter = field(default_factory=Counter)
    posted: int = 0
    failed: int = 0  # requests whose outcome the bot does not know
    blind: bool = False  # a contrast: nothing is found again, and no nonce is known

    async def request(self, verb, place, work, *, key):
        """Carry out a request of the bot as a server does: whether or not it still listens."""
        loop = asyncio.get_running_loop()
        if loop.is_dead():
            await loop.create_future()
        name = (self.world.plan.name, self.name, verb, key)
        self.asked[name] += 1
        name = (*name, self.asked[name])
        answer, life = loop.create_future(), self.world.life
        if self.world.moment(f"{verb} asked"):
            await answer
        loop.outside(0.002 + 0.05 * chance(*name), self._arrive, name, work, answer, life)
        return await answer

    def _arrive(self, name, work, answer, life):
        """Apply a request, or not, and answer it, or not."""
        loop, verb = self.world.loop, name[2]
        fault = self._fault(name)
        wait = 0.2 + 3 * chance(*name, "wait")
        if fault == "wait":
            self.world.say(self.name, f"{verb} {name[3]}: wait {wait:.1f} s")
            loop.outside(0.02, tell, answer, RetryLater(wait))
            return
        result = None
        if fault == "late" and verb == "post":
            settle = MANNERS[self.name].settle
            loop.outside(0.2 + 0.7 * settle * chance(*name, "late"), work)
        elif fault not in ("refused", "dropped", "late"):
            result = work()
        if fault:
            self.world.say(self.name, f"{verb} {name[3]}: {fault}, outcome unknown")
            result = Unreachable(fault)
        if self.world.moment(f"{verb} {'late' if fault == 'late' else 'done'}", life):
            return
        self.failed += bool(fault)
        loop.outside(0.2 if fault else 0.05 * chance(*name, "back"), tell, answer, result)

    def _fault(self, name):
        for weather in self.weather:
            here = weather.begins <= self.world.loop.now < weather.ends
            if here and chance(*name, weather.begins) < weather.likely:
                return weather.kind
        return ""

    # ---- what requests do

    def post(self, lane, key, index, question, text):
        """Add a message; Discord gives back the one that it knows by its nonce."""
        now = self.world.loop.now
        if self.name == "discord" and not self.blind:
            for known in self.shown.values():
                same = (known.lane, known.key, known.index) == (lane, key, index)
                if same and now - known.at < NONCE_S:
                    return known
        self.posted += 1
        bubble = Bubble(f"{self.name[0]}{self.posted}", lane, key, index, question, text, now)
        self.shown[bubble.id] = bubble
        self._changed(bubble, text)
        return bubble

    def edit(self, id, text):
        """Replace the text of a message."""
        if id in self.shown and self.shown[id].text != text:
            self.shown[id].text = text
            self._changed(self.shown[id], text)

    def delete(self, id):
        """Take a message away."""
        if id in self.shown:
            self._changed(self.shown.pop(id), "(deleted)")

    def find(self, lane, key, index, question):
        """Look for a message as this platform allows it."""
        if self.blind:
            return None
        if self.name == "slack":
            wanted = (lane, key, index)
            return next((b.id for b in self.shown.values()
                         if (b.lane, b.key, b.index) == wanted), None)  # fmt: skip
        run = []
        for bubble in (b for b in self.shown.values() if b.lane == lane):
            reference = bubble.question if bubble.index == 0 else ""
            if reference == question and not run:
                run.append(bubble.id)
            elif reference and run:
                break
            elif run:
                run.append(bubble.id)
        return run[index] if index < len(run) else None

    def _changed(self, bubble, text):
        bubble.history.append((self.world.loop.now, text))
        self.world.say(
            self.name, f"{bubble.lane} {bubble.id} ({bubble.key[:4]}.{bubble.index}) shows {text!r}"
        )


def tell(answer, result):
    """Let the bot know, if it still wants to."""
    if answer.done():
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
        answer.exception()  # a bot that was killed will not ask for it
    else:
        answer.set_result(result)


@dataclass
class ChatBubbles:
    """The port of `adapters.kit.live` over a chat."""

    chat: Chat
    to: object

    async def post(self, index, shown, *, final, buttons=()):
        bubble = await self._ask("post", index, self.to.answers, shown)
        if bubble.text != shown and self.chat.name == "discord":  # the nonce was known
            await self.edit(bubble.id, shown, final=final)
        return bubble.id

    async def edit(self, id, shown, *, final, buttons=()):
        await self.chat.request("edit", self.to, lambda: self.chat.edit(id, shown), key=id)

    async def delete(self, id):
        await self.chat.request("delete", self.to, lambda: self.chat.delete(id), key=id)

    async def find(self, index):
        return None if self.chat.name == "telegram" else await self._ask(
            "find", index, self.to.answers)  # fmt: skip

    async def typing(self):
        with suppress(DeliveryError):
            await self.chat.request("typing", self.to, lambda: None, key=self.to.key)

    async def _ask(self, verb, index, *more):
        lane, key = str(self.to.conversation), self.to.key
        act = getattr(self.chat, verb)
        return await self.chat.request(
            verb, self.to, lambda: act(lane, key, index, *more), key=f"{key[:4]}.{index}"
        )


@dataclass
class ChatSender:
    """The way out, built from the kit as the real ones are."""

    chat: Chat

    async def open(self):
        pass

    async def close(self):
        pass

    async def publish(self, catalogue):
        pass

    async def deliver(self, to, reply, outbox):
        return await deliver(reply, ChatBubbles(self.chat, to), MANNERS[self.chat.name], outbox)
