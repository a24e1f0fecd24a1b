"""A small life of the store, driven through its ports, with a note of everything it promised.

Rounds of work are queued together, as many conversations would: messages come in while earlier ones
are claimed, journaled, posted and closed. A promise is kept with the number of steps that the disk
had seen when the store gave its word.
"""

import asyncio
from dataclasses import dataclass, field

from bot.domain.conversation import Conversation
from bot.domain.errors import StoreBusy
from bot.domain.replies import Part, Receipt
from bot.ports.store import NewLine, Result
from tests.events import message

ROOMS = 5
LONGEST = 6000  # characters of a message: more than one page of the database


@dataclass
class Promises:
    """What the store has acknowledged, by event: when, and with which words."""

    accepted: dict[str, int] = field(default_factory=dict)
    answered: dict[str, tuple[int, str]] = field(default_factory=dict)
    posted: dict[str, tuple[int, str]] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    refused: int = 0


class Script:
    """The same work for the same dice, whatever the disk does."""

    def __init__(self, store, disk, dice):
        self.promises = Promises()
        self._lanes, self._disk, self._dice = store.lanes, disk, dice
        self._count = 0

    async def play(self, rounds):
        """Let messages come and be answered, a few at a time."""
        for _ in range(rounds):
            events = [self._message() for _ in range(self._dice.randint(1, 6))]
            await asyncio.gather(*(self._accept(event) for event in events))
            if self._lanes.waiting.ready:
                turns = await self._lanes.claim(self._dice.randint(1, ROOMS))
                await asyncio.gather(*(self._answer(turn) for turn in turns))

    def _message(self):
        self._count += 1
        room = Conversation(platform="fake", channel=f"C{self._dice.randrange(ROOMS)}")
        words = self._words(f"question {self._count} ")
        id = f"fake:{self._count}"
        return message(words, id=id, conversation=room, message=str(self._count))

    def _words(self, begin):
        return begin + "x" * int(LONGEST * self._dice.random() ** 4)

    async def _accept(self, event):
        """Say it again until it is acknowledged, as a platform does."""
        room = str(event.conversation)
        while True:
            try:
                await self._lanes.ingest(event, lane=room, memory=room)
            except StoreBusy:
                self.promises.refused += 1
                continue
            break
        self.promises.accepted[event.id] = len(self._disk.steps)

    async def _answer(self, turn):
        """Answer a turn, and those of its lane that follow without a claim."""
        while turn:
            turn = await self._one(turn)

    async def _one(self, turn):
        event, steps = turn.event, self._disk.steps
        answer, post = self._words(f"answer to {event.id} "), f"post {event.id}"
        self._lanes.save(turn, "admitted", {"model": "m"}).add_done_callback(_heard)
        if self._dice.random() < 0.7:
            await self._until_stored(self._lanes.save_part, turn, Part(index=0, id=post))
            self.promises.posted[event.id] = len(steps), post
        await self._until_stored(self._lanes.save, turn, "answered", {"text": answer})
        self.promises.answered[event.id] = len(steps), answer
        lines = (NewLine(role="user", text=event.text, message=event.message),
                 NewLine(role="assistant", text=answer))  # fmt: skip
        result = Result(lines=lines, receipt=Receipt((post,)))
        following = await self._until_stored(self._lanes.finish, turn, result)
        self.promises.closed[event.id] = len(steps)
        return following

    async def _until_stored(self, write, *arguments):
        while True:
            try:
                return await write(*arguments)
            except StoreBusy:
                self.promises.refused += 1


def _heard(future):
    """Nobody waits for this write."""
    if not future.cancelled():
        future.exception()
