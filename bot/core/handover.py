"""A way to a person: the question goes to the staff, their replies go back, the bot stays silent.

The staff's place is on any platform. What the bot posts there belongs to the customer's
conversation: who replies to it, or writes in its thread, answers the customer. It ends by a button,
by `admin resume`, or when nobody has written for long.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.core import relayed, sentences
from bot.core.announcing import Announcing
from bot.core.buttons import DAY, Buttons
from bot.core.handed import Handed
from bot.core.policies import Policies, memory_key
from bot.domain.commands import slash
from bot.domain.conversation import Conversation
from bot.domain.errors import Declined, StoreError
from bot.domain.events import Announced, CommandGiven, Event, MessageReceived, Pressed
from bot.domain.handovers import HandoverSettings
from bot.domain.replies import Button
from bot.domain.untrusted import roleless
from bot.ports.handovers import Handover
from bot.ports.store import Memory, NewLine, Result, Turn

log = logging.getLogger(__name__)
CONTEXT = 6  # lines of the conversation that the staff is shown
MOST_A_DAY = 5  # that one person may begin
DONE_S = 30 * DAY  # for which the staff can give a conversation back
ASK, DONE = "handover", "handdone"  # actions of buttons


@dataclass(slots=True, kw_only=True)
class Handing:
    """Hands conversations over, carries words both ways, takes conversations back."""

    settings: HandoverSettings
    handed: Handed
    memory: Memory
    policies: Policies
    announcing: Announcing
    buttons: Buttons
    hides: frozenset[str]  # platforms where only the asking person sees a command's answer
    link: Callable[[Conversation], str]
    now: Callable[[], float]
    local: Callable[[float], datetime]  # the time of the house
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)  # one begins or ends at a time

    @property
    def place(self) -> Conversation | None:
        """The staff's place, by its present name."""
        place = self.settings.place
        return self.handed.present(str(place)) if place else None

    async def load(self) -> None:
        """Read what is open."""
        appeared = self.handed.posts.appeared
        self.announcing.appeared |= {"handover": appeared, "relay": appeared}
        await self.handed.load()

    # ---- what concerns it

    def answers(self, event: Event) -> bool:
        """Tell whether somebody of the staff answers a customer with a message."""
        return isinstance(event, MessageReceived) and self.handed.posts.answered(event) is not None

    async def take(self, turn: Turn) -> Result | None:
        """Carry a message to the other side; None when the bot is to answer it."""
        event = turn.event
        if not isinstance(event, MessageReceived) or turn.steps:  # what the bot began, it ends
            return None
        answered = self.handed.posts.answered(event)
        if answered is not None:
            return await self._from_staff(answered, event)
        handover = self.handed.taken(turn.lane)
        if handover is None:
            return None
        if self.now() - handover.heard > self.settings.timeout_h * 3600:
            await self._end(handover, sentences.BACK_BY_ITSELF)
            return None
        return await self._from_customer(handover, event)

    # ---- its beginning and its end

    async def begin(self, event: Event, memory: str, wish: str = "", *, aloud: bool = False) -> str:
        """Ask the staff; returns what the person is told, who hears it `aloud` at once.

        Raises:
            Declined: there is nobody to ask, somebody is asked already, or too often.
        """
        place, author = self.place, getattr(event, "author", None)
        if place is None or author is None:
            raise Declined(sentences.NO_STAFF)
        if event.conversation.parent == place.parent:
            raise Declined(sentences.ASKED_BY_STAFF)
        here, memory = await self._where(event, memory)
        question = wish or await self._last_question(memory)
        async with self._changing:
            known = self.handed.taken(str(here))
            if known and known.id in self.handed.posts.requests:
                raise Declined(sentences.ASKED_ALREADY.format(slash=slash(here.platform)))
            handover = known or await self._begun(event, here, question)
            self.handed.add(handover)
            promise = relayed.promise(self.settings.hours, self.local(handover.at))
            aloud = aloud or self._hidden(event)
            if aloud:
                await self._tell(f"handed:{handover.id}", handover, promise)
            await self._ask(handover, event, question, memory)
        log.info("%s is handed over to %s", here, place)
        return sentences.ASKED_BY_YOU if aloud else promise

    async def end(self, id: int) -> None:
        """End one by its number, as the staff does."""
        handover = self.handed.numbered(id)
        if handover is None:
            raise Declined("This conversation was given back already.")
        await self._end(handover, sentences.GIVEN_BACK)

    async def give_back(self, event: CommandGiven | Pressed, person: str = "") -> bool:
        """End what is handed over where a command is given, of one person or of all."""
        here = self.handed.at(event.conversation)
        ended = [handover for handover in here if person in ("", handover.person)]
        for handover in ended:
            # Where all see the answer to the command, it says so.
            await self._end(handover, sentences.GIVEN_BACK if self._hidden(event) else "")
        return bool(ended)

    async def forget(self, person: str) -> None:
        """Let go of conversations of a person who is to be forgotten."""
        for handover in [one for one in self.handed if one.person == person]:
            await self._end(handover, "")

    async def abstained(self, turn: Turn) -> None:
        """Ask the staff by itself when a model does not know, if that is set."""
        if self.settings.unsure != "handover":
            return
        words = getattr(turn.event, "words", "")
        try:
            await self.begin(turn.event, turn.memory, words, aloud=True)
        except Declined as refusal:
            log.info("%s is not handed over: %s", turn.lane, refusal.sentence)

    def offer(self, person: str) -> Button | None:
        """Make the button that asks for a person; None where there is nobody to ask."""
        if self.settings.unsure != "offer" or not self.settings.channel:
            return None
        return self.buttons.make("Talk to a person", ASK, "now", person=person)

    async def _begun(self, event: Event, here: Conversation, question: str) -> Handover:
        now = self.now()
        fresh = Handover(
            id=0, lane=str(here), person=str(getattr(event, "author", "")),
            private=getattr(event, "private", False), closed=getattr(event, "closed", False),
            staff=str(self.place), at=now, heard=now,
        )  # fmt: skip
        handover = await self.handed.store.begin(fresh, question, most=MOST_A_DAY)
        if handover is None:
            raise Declined(sentences.ASKED_TOO_OFTEN)
        return handover

    async def _end(self, handover: Handover, said: str) -> None:
        """Let the bot answer; both sides are told before that is stored: no kill stops it."""
        async with self._changing:
            if not self.handed.drop(handover):
                return
            try:
                if said:
                    await self._tell(f"given_back:{handover.id}", handover, said)
                await self._to_staff(f"ended:{handover.id}", handover, sentences.ENDED)
                await self.handed.store.close(handover.id)
            except StoreError:
                self.handed.add(handover)
                raise

    async def _where(self, event: Event, memory: str) -> tuple[Conversation, str]:
        """Return the asker's conversation; where commands name no thread, their newest thread."""
        place, person = event.conversation, str(getattr(event, "author", ""))
        private = getattr(event, "private", False)
        if place.platform not in self.handed.threads or place.thread or private:
            return place, memory
        lanes = [Conversation.parse(lane) for lane in self.policies.joined]
        keys = {self._memory(lane, person) for lane in lanes if lane.within(place)}
        asked = [await self.memory.last_question(key) for key in keys]
        theirs = [question for question in asked if question and question.person == person]
        if not theirs:
            raise Declined(sentences.ASKED_IN_NO_THREAD)
        thread = Conversation.parse(max(theirs, key=lambda question: question.id).lane)
        return thread, self._memory(thread, person)

    # ---- words from one side to the other

    async def _from_staff(self, id: int, event: MessageReceived) -> Result:
        handover = self.handed.numbered(id)
        if handover is None:
            late = Announced(
                id=f"late:{event.id}", at=self.now(), conversation=event.conversation,
                text=sentences.TOO_LATE, message=event.message,
            )  # fmt: skip
            await self.announcing.say(late)
            return Result(outcome="declined")
        await self.handed.touch(handover, self.now())
        said = relayed.for_customer(event)
        await self._tell(f"answered:{event.id}", handover, said, remembered=True)
        return Result()

    async def _from_customer(self, handover: Handover, event: MessageReceived) -> Result:
        await self.handed.touch(handover, self.now())
        said = relayed.for_staff(event)
        await self._to_staff(f"relay:{handover.id}:{event.id}", handover, said)
        name = "" if event.private else relayed.name_of(event.author, event.author.user)
        line = NewLine(role="user", text=roleless(event.words), person=str(event.author),
                       name=name, message=event.message)  # fmt: skip
        return Result(lines=(line,))

    async def _ask(self, handover: Handover, event: Any, question: str, memory: str) -> None:
        here = Conversation.parse(handover.lane)
        before = await self.memory.recall(memory, None, limit=CONTEXT)
        text = relayed.request(event.author, here, self.link(here), question, before)
        done = self.buttons.make("Done: the bot answers again", DONE, str(handover.id),
                                 valid_s=DONE_S)  # fmt: skip
        await self._to_staff(f"handover:{handover.id}", handover, text, buttons=(done,))

    async def _to_staff(
        self, id: str, handover: Handover, text: str, buttons: tuple[Button, ...] = ()
    ) -> None:
        """Say something below the request, once that stands there."""
        place = self.handed.present(handover.staff)
        first = self.handed.posts.requests.get(handover.id, "")
        if first and place.platform in self.handed.threads:
            place, first = replace(place, thread=first), ""
        said = Announced(
            id=id, at=self.now(), conversation=place, text=text, message=first, buttons=buttons,
            in_order=True,
        )  # fmt: skip
        await self.announcing.say(said)

    async def _tell(
        self, id: str, handover: Handover, text: str, *, remembered: bool = False
    ) -> None:
        """Say something to the customer."""
        place = self.handed.present(handover.lane)
        said = Announced(
            id=id, at=self.now(), conversation=place, text=text, private=handover.private,
            remembered=remembered, in_order=True,
        )  # fmt: skip
        memory = self._memory(
            place, handover.person, private=handover.private, closed=handover.closed
        )
        await self.announcing.say(said, memory=memory)

    # ---- what it has to know

    def _hidden(self, event: Event) -> bool:
        """Whether only the person who gave a command sees its answer, in company."""
        private = getattr(event, "private", False)
        return not private and event.conversation.platform in self.hides

    def _memory(
        self, place: Conversation, person: str, *, private: bool = False, closed: bool = False
    ) -> str:
        scope = self.policies.resolve(place).memory.scope
        return memory_key(place, person, scope=scope, private=private, closed=closed)

    async def _last_question(self, memory: str) -> str:
        question = await self.memory.last_question(memory)
        return question.text if question else ""
