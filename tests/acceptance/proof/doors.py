"""How events come in from the three platforms: at least once, each in its own way.

`telegram` hands out its updates in order and repeats what was not confirmed; `slack` sends each
event by itself and again when no acknowledgement came; `discord` sends once, and is asked for what
was written since the stored mark when the bot connects anew.
"""

import asyncio
from dataclasses import dataclass, field

from bot.domain.errors import StoreError
from bot.domain.events import Event, MessageReceived

RETRY_S = 3.0  # seconds after which Slack sends an event again; doubles with each time
LONGEST_RETRY_S = 60.0


@dataclass
class Letter:
    """An event on its way to the bot."""

    event: Event
    number: int
    at: float
    again: int = 0  # how often it comes once more although it was acknowledged
    pair: bool = False  # it comes twice at the same time
    accepted: bool = False  # the bot took it, at least once
    settled: bool = False  # it will not come any more
    due: float = 0.0
    sent: int = 0
    lost: bool = False  # nobody listened, and the platform does not repeat such events
    answers: list = field(default_factory=list)  # what `accept` returned, and when


@dataclass
class Door:
    """The receiving side of one platform."""

    world: object
    name: str
    mail: list = field(default_factory=list)
    marks: object = None  # of this life
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def drop(self, letter):
        """Let a letter come in."""
        letter.number = len(self.mail) + 1
        self.mail.append(letter)
        self.ring()

    def ring(self):
        """Wake whoever waits for letters."""
        self.news.set()
        self.news = asyncio.Event()

    async def listen(self, inbox):
        self.world.say(self.name, "is listened to")
        await getattr(self, f"_{self.name}")(inbox)

    # ---- in order, confirmed by the next poll

    async def _telegram(self, inbox):
        while True:
            batch = [letter for letter in self.mail if not letter.settled]
            if not batch:
                await self.news.wait()
                continue
            for letter in batch:
                while not await self._hand_over(inbox, letter):
                    await asyncio.sleep(1.0)
            await self.world.pause("poll", 0.1)
            for letter in batch:
                self._settle(letter)

    # ---- each by itself, until it is acknowledged

    async def _slack(self, inbox):
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as envelopes:
            while True:
                waiting = [letter for letter in self.mail if not letter.settled]
                for letter in waiting:
                    if letter.due <= loop.time():
                        letter.due = loop.time() + min(RETRY_S * 2**letter.sent, LONGEST_RETRY_S)
                        letter.sent += 1
                        for _ in range(1 + letter.pair):
                            envelopes.create_task(self._envelope(inbox, letter))
                due = min((letter.due for letter in waiting), default=None)
                pause = None if due is None else max(due - loop.time(), 0.01)
                try:
                    await asyncio.wait_for(self.news.wait(), pause)
                except TimeoutError:
                    continue

    async def _envelope(self, inbox, letter):
        if await self._hand_over(inbox, letter):
            await self.world.pause("ack", 0.2)
            self._settle(letter)

    # ---- live, or back-filled from the mark

    async def _discord(self, inbox):
        connected = asyncio.get_running_loop().time()
        marks = await self.marks.read(self.name)
        async with asyncio.TaskGroup() as lanes:
            for lane in self.world.lanes(self.name):
                mark = int(marks.get(lane, "0"))
                lanes.create_task(self._lane(inbox, lane, mark, connected))

    async def _lane(self, inbox, lane, mark, connected):
        while True:
            letter = next((letter for letter in self.mail if letter.number > mark
                           and str(letter.event.conversation) == lane), None)  # fmt: skip
            if letter is None:
                await self.news.wait()
                continue
            mark = letter.number
            written = isinstance(letter.event, MessageReceived)
            if not written and letter.at < connected:
                letter.lost = letter.settled = True
                continue
            while not await self._hand_over(inbox, letter):
                await asyncio.sleep(1.0)
            self.marks.put(self.name, lane, str(mark))
            letter.settled = True

    # ---- all of them

    async def _hand_over(self, inbox, letter):
        event = letter.event
        if self.world.moment("arrival"):
            await asyncio.get_running_loop().create_future()
        try:
            taken = await inbox.accept(event)
        except StoreError as error:
            self.world.say(self.name, f"{event.id} not taken: {type(error).__name__}")
            return False
        self.world.say(self.name, f"{event.id} {'taken' if taken else 'known or not needed'}")
        letter.accepted = True
        letter.answers.append((self.world.loop.now, taken))
        return True

    def _settle(self, letter):
        """Hear the acknowledgement; some letters come again nevertheless."""
        if self.world.loop.is_dead() or letter.settled:
            return
        letter.again -= 1
        letter.settled = letter.again < 0
        letter.due = self.world.loop.now + RETRY_S
        self.ring()
