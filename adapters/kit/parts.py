"""The messages of one reply: which of them exist, and what they show.

Nothing is posted twice: a part that an earlier attempt may have sent, or whose post had an unknown
outcome, is looked for first, and not before that post had the time to land. `begin` is journaled
before a post, `sent` before the first edit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from hashlib import blake2b
from typing import TypeVar

from adapters.kit.bubbles import Bubbles, Manner
from adapters.kit.split import Slice, split
from bot.domain.errors import RetryLater, Unreachable
from bot.domain.replies import Button, Part, Receipt
from bot.ports.platform import Outbox

T = TypeVar("T")
_SHORTEST_WAIT = 0.05  # seconds, for a platform that asks to wait for none
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 1.0, 15.0  # seconds


class Parts:
    """What is known of the messages of one reply, from this attempt and from earlier ones."""

    def __init__(self, bubbles: Bubbles, manner: Manner, outbox: Outbox) -> None:
        self._bubbles = bubbles
        self._manner = manner
        self._outbox = outbox
        self._noted = dict(outbox.known)
        self._ids = {index: part.id for index, part in self._noted.items() if part.id}
        self._doubtful = set(self._noted) - set(self._ids)
        self._absent: set[int] = set()
        self._started: dict[int, float] = {}  # when a part was posted, on the loop's clock
        self._shown: dict[int, str] = {}  # digests of what this attempt has surely put there
        self._ends: list[int] = []  # of the parts that are full
        self._rewritten = 0
        self._quiet_until = 0.0
        self._final = False  # whether the text is the last one
        self._buttons: dict[int, Sequence[Button]] = {}  # of the last message, once that is known

    @property
    def quiet(self) -> float:
        """Seconds for which the platform still wants to hear nothing."""
        return self._quiet_until - asyncio.get_running_loop().time()

    async def reserve(self) -> None:
        """Post and journal the first placeholder, so that the text comes by edits only."""
        if 0 not in self._ids:
            await self._obey(self._create(0, Slice(0, 0, self._manner.placeholder)))

    async def show(self, text: str, rewritten: int) -> bool:
        """Show a text that may still grow; False when all or some of it has to be tried again.

        A text that was `rewritten` since the last call owes nothing to the boundaries before.
        """
        return await self._obey(self._grow(self._split(text, rewritten)))

    async def conclude(self, text: str, rewritten: int, buttons: Sequence[Button] = ()) -> Receipt:
        """Bring every message to its last text, however long it takes, and delete surplus ones.

        The buttons stand below the last message.
        """
        self._final = True
        if self.quiet > 0:
            await asyncio.sleep(self.quiet)
        slices = self._split(text, rewritten)
        self._buttons = {len(slices) - 1: buttons}
        for index, piece in enumerate(slices):
            await self._put(index, piece)
            self._note(index, piece)
        surplus = {*self._outbox.known, *self._ids} - set(range(len(slices)))
        for index in sorted(surplus, reverse=True):  # the first ones show where the others are
            await self._withdraw(index)
        return Receipt(tuple(self._ids[index] for index in range(len(slices))))

    def _split(self, text: str, rewritten: int) -> list[Slice]:
        if rewritten != self._rewritten:
            self._rewritten = rewritten
            self._ends.clear()
        if not text.strip():
            return []
        return split(text, self._manner.limit, self._manner.measure, ends=self._ends)

    async def _grow(self, slices: Sequence[Slice]) -> bool:
        complete = True
        for index in range(len(self._ends), len(slices)):
            complete = await self._put(index, slices[index]) and complete
            if index + 1 < len(slices):
                self._ends.append(slices[index].end)
                self._note(index, slices[index])
        return complete

    async def _put(self, index: int, piece: Slice) -> bool:
        """Make a message show its slice, unless this attempt has made it do so already."""
        if index not in self._ids and self._manner.placeholder:
            await self._create(index, Slice(piece.start, piece.start, self._manner.placeholder))
        elif index not in self._ids:
            await self._create(index, piece)
        if self._shown.get(index) != self._digest(index, piece.shown):
            return await self._edit(index, piece.shown)
        return True

    async def _create(self, index: int, piece: Slice) -> bool:
        """Post a message, or adopt the one that an earlier post has left."""
        final = self._final and not self._manner.placeholder
        find_or_post = partial(self._find_or_post, index, piece, final=final)
        self._ids[index], adopted = await self._insist(find_or_post)
        if not adopted and (final or not self._final):
            self._shown[index] = self._digest(index, piece.shown)
        part = self._noted[index] = self._part(index, piece, self._ids[index])
        sent = self._outbox.sent(part)
        if adopted or not final:
            await sent
        return True

    async def _find_or_post(self, index: int, piece: Slice, *, final: bool) -> tuple[str, bool]:
        """Return the id of a message and whether it was there before."""
        if index in self._doubtful or (self._blind and index not in self._absent):
            found = await self._find(index)
            if found:
                return found, True
            self._doubtful.discard(index)
            self._absent.add(index)
        begun = self._outbox.begin(self._part(index, piece))
        if index > 0 or self._manner.announces:
            await begun  # a later attempt must know which parts to look for, or to delete
        self._started[index] = asyncio.get_running_loop().time()
        try:
            buttons = self._buttons.get(index, ()) if final else ()
            post = self._bubbles.post(index, piece.shown, final=final, buttons=buttons)
            return await post, False
        except Unreachable:
            self._doubtful.add(index)
            raise

    @property
    def _blind(self) -> bool:
        """Whether an earlier attempt may have sent parts of which nothing is known."""
        return self._outbox.resumed and not self._manner.announces

    async def _find(self, index: int) -> str | None:
        """Look for a part, as soon as its post has landed or never will."""
        settle = self._manner.settle
        if index in self._started:
            age = asyncio.get_running_loop().time() - self._started[index]
        else:
            known = self._noted.get(index)
            age = max(0.0, time.time() - known.at) if known else settle
        await asyncio.sleep(max(0.0, settle - age))
        return await self._bubbles.find(index)

    async def _edit(self, index: int, shown: str) -> bool:
        buttons = self._buttons.get(index, ())
        edit = partial(
            self._bubbles.edit, self._ids[index], shown, final=self._final, buttons=buttons
        )
        self._shown.pop(index, None)
        if self._final:
            await self._insist(edit)
        else:
            try:
                await edit()
            except Unreachable:
                return False  # a later edit, the final one at last, brings all of it
        self._shown[index] = self._digest(index, shown)
        return True

    async def _withdraw(self, index: int) -> None:
        id_ = self._ids.get(index) or await self._insist(partial(self._find, index))
        if id_:
            await self._insist(partial(self._bubbles.delete, id_))
        self._outbox.withdrawn(index)

    def _note(self, index: int, piece: Slice) -> None:
        """Journal the last text of a part, unless that is known; nobody waits for it."""
        part = self._part(index, piece, self._ids[index])
        if self._noted.get(index) != part:
            self._noted[index] = part
            self._outbox.sent(part)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until the platform takes it; gives up after `give_up` seconds of silence.

        A platform that asks to wait is obeyed here only when the text is the last one; before,
        the caller does better than to show an old text later.
        """
        delay = max(_SHORTEST_WAIT, min(self._manner.settle, _FIRST_BACK_OFF))
        deadline = 0.0
        while True:
            try:
                return await call()
            except RetryLater as wait:
                if not self._final:
                    raise
                await asyncio.sleep(max(wait.seconds, _SHORTEST_WAIT))
            except Unreachable:
                now = asyncio.get_running_loop().time()
                deadline = deadline or now + self._manner.give_up
                if now + delay > deadline:
                    raise
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_BACK_OFF)

    async def _obey(self, work: Coroutine[None, None, bool]) -> bool:
        """Do what may be left for later; remember how long the platform asks to wait."""
        try:
            return await work
        except RetryLater as wait:
            seconds = max(wait.seconds, _SHORTEST_WAIT)
            self._quiet_until = asyncio.get_running_loop().time() + seconds
            return False

    def _part(self, index: int, piece: Slice, id_: str = "") -> Part:
        digest = self._digest(index, piece.shown)
        return Part(index=index, end=piece.end, digest=digest, id=id_)

    def _digest(self, index: int, shown: str) -> str:
        """Name what a message shows: its text and its buttons."""
        buttons = self._buttons.get(index, ())
        whole = "\0".join((shown, *(f"{button.label}\0{button.data}" for button in buttons)))
        return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
