"""Put the prompt together: who the bot is, what was said, what is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bot.core import sentences
from bot.core.memory import Recall, Recollected
from bot.core.memory.facts import Knowing
from bot.core.memory.kinds import PER_LINE
from bot.core.quoting import KEPT, SHARE, Quoted, numbered
from bot.domain.attachments import Opened
from bot.domain.dialogue import Line, Material, Prompt
from bot.domain.events import MessageReceived
from bot.domain.knowledge import Grounds
from bot.domain.policy import Policy
from bot.domain.text import display_name, visible
from bot.domain.untrusted import Fence, roleless
from bot.ports.store import Turn
from bot.ports.tokens import TokenCounter

FOR_MEMORY = 4  # a quarter of what a question leaves is not given to its files
FENCE_TOKENS = 64  # of a fence and its mark
LEAST_SHARE = 64  # tokens: less of a file says nothing


@dataclass(frozen=True, slots=True)
class Given:
    """What a question comes with: files of its author, and what the documents say about it."""

    files: tuple[Opened, ...] = ()
    grounds: Grounds = field(default_factory=Grounds)


NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt, and a note to the person about what was left out of it."""

    prompt: Prompt
    note: str = ""
    remembered: int = 0  # lines of memory in it, without a summary and what was looked up

    @property
    def half(self) -> int:
        """Roughly half the tokens that this prompt has, at four bytes a token."""
        return sum(len(line.text.encode()) for line in self.prompt.lines) // 8


@dataclass(slots=True, kw_only=True)
class Composing:
    """Composes prompts within the token budget of the policy."""

    recall: Recall
    tokens: TokenCounter
    knowing: Knowing
    may_be_quoted: Callable[[MessageReceived], bool]  # whether who is quoted may talk here
    _counted: Callable[[str], int] = field(init=False)  # passages come again

    def __post_init__(self) -> None:
        """Keep what is counted of passages."""
        self._counted = lru_cache(KEPT)(self.tokens.count)

    async def compose(
        self,
        turn: Turn,
        event: MessageReceived,
        policy: Policy,
        given: Given = NOTHING,
        *,
        budget: int,
    ) -> Composed:
        """Return the prompt for one message; all but its orders within `budget` tokens."""
        event, note = self._without_strangers(event)
        files, fence = given.files, Fence()
        asked, cut = await self._asked(event, files, fence, budget)
        left = budget - await self._size(asked, budget)
        enclosed, remarks = await self._enclosed(files, fence, left - left // FOR_MEMORY)
        whole = "\n\n".join((asked, *enclosed))
        left -= await self._size(whole, budget) - await self._size(asked, budget)
        quotes = await numbered(given.grounds, fence, left // SHARE, self._passage)
        left -= quotes.tokens
        recalled = await self._recalled(turn, event, policy, left)
        history, question = _history(recalled, fence, whole)
        whole = "\n\n".join((*quotes.texts, question))
        orders = "\n\n".join(filter(None, (policy.system_prompt, quotes.orders, fence.note)))
        system = (Line("system", orders),) if orders else ()
        prompt = Prompt(
            lines=(*system, *history, Line("user", whole)),
            person=str(event.payer),
            conversation=turn.lane,
            material=_material(policy, fence, question, quotes),
            grounds=replace(given.grounds, passages=given.grounds.passages[: len(quotes.texts)]),
            images=tuple(file.image for file in files if file.image),
        )
        note += sentences.CUT_NOTE if cut else ""
        return Composed(prompt, f"{note}{_told(files, remarks)}", len(recalled.lines))

    async def _asked(
        self, event: MessageReceived, files: Sequence[Opened], fence: Fence, budget: int
    ) -> tuple[str, bool]:
        """Return the question with what stands beside it, and whether it had to be cut."""
        question = _question(event)
        asked = await self._within(question, budget)
        cut = asked != question
        left = budget - await self._size(asked, budget)
        if event.quoted:  # it is cut inside its fence, since half a fence holds nothing
            harmless = roleless(visible(event.quoted))  # which may be longer than what was written
            quoted = await self._within(harmless, max(left - FENCE_TOKENS, 0))
            cut = cut or quoted != harmless
            event = replace(event, quoted=quoted)
        asked = "\n\n".join((asked, *_beside(event, files, fence)))
        return await self._introduced(asked, event, fence, budget), cut

    async def _recalled(
        self, turn: Turn, event: MessageReceived, policy: Policy, left: int
    ) -> Recollected:
        return await self.recall.recollected(
            turn.memory, turn.epoch, policy.memory, budget=left, without=event.replaces,
            question=event.words,
        )  # fmt: skip

    async def _introduced(
        self, asked: str, event: MessageReceived, fence: Fence, budget: int
    ) -> str:
        """Put before a question what its author wants to be known, as much as there is room."""
        facts = await self.knowing.of(event, str(event.author))
        if not facts:
            return asked
        room = (budget - await self._size(asked, budget)) // FOR_MEMORY - FENCE_TOKENS
        chosen: list[str] = []
        for fact in reversed(facts):
            room -= len(fact.text.encode()) + PER_LINE
            if room < 0:
                break
            chosen.append(fact.text)
        known = fence.around(sentences.KNOWN_MARK, "\n".join(chosen[::-1]))
        return f"{known}\n\n{asked}" if chosen else asked

    async def _enclosed(
        self, files: Sequence[Opened], fence: Fence, room: int
    ) -> tuple[list[str], dict[str, str]]:
        """Fence what files say; the room is shared, and whatever is cut is remarked by name."""
        texts = [file for file in files if file.text]
        enclosed: list[str] = []
        remarks: dict[str, str] = {}
        for number, file in enumerate(texts):
            share = room // (len(texts) - number) - FENCE_TOKENS - len(file.name.encode())
            if share < LEAST_SHARE:
                remarks[file.name] = sentences.FULL_FILE
                continue
            text = await self._within(file.text, share)
            if text != file.text:
                remarks[file.name] = sentences.LONG_FILE
            enclosed.append(fence.around(f"file {file.name}", text))
            room -= await self._size(enclosed[-1], share)
        return enclosed, remarks

    def _without_strangers(self, event: MessageReceived) -> tuple[MessageReceived, str]:
        """Leave out what somebody has said who may not talk to the bot here, and say so."""
        if not event.quoted or self.may_be_quoted(event):
            return event, ""
        return replace(event, quoted=""), sentences.UNQUOTED_NOTE

    async def _size(self, text: str, budget: int, count: Callable[[str], int] | None = None) -> int:
        size = len(text.encode())
        if size <= budget // 4:  # the byte bound is close enough, and needs no tokenizer
            return size + PER_LINE
        await self.tokens.load()
        return (count or self.tokens.count)(text) + PER_LINE

    async def _passage(self, text: str, budget: int) -> int:
        return await self._size(text, budget, self._counted)

    async def _within(self, text: str, budget: int) -> str:
        """Cut the middle out of a text that alone is larger than the budget."""
        if len(text.encode()) + PER_LINE <= budget:
            return text
        await self.tokens.load()
        tokens = self.tokens.count(text)
        if tokens + PER_LINE <= budget:
            return text
        kept = int(len(text) * max(budget - 32, 8) / tokens)
        while True:
            head, tail = text[: kept * 2 // 3], text[len(text) - kept // 3 :]
            mark = sentences.CUT_MARK.format(count=len(text) - len(head) - len(tail))
            cut = f"{head}{mark}{tail}"
            if kept < 16 or self.tokens.count(cut) + PER_LINE <= budget:
                return cut
            kept = kept * 3 // 4


def _material(policy: Policy, fence: Fence, question: str, quotes: Quoted) -> Material:
    """Return the parts of a prompt one by one, for the templates of a chain."""
    return Material(
        persona=policy.system_prompt, note=fence.note, question=question,
        documents="\n\n".join(quotes.texts), orders=quotes.orders,
    )  # fmt: skip


def _question(event: MessageReceived) -> str:
    text = roleless(event.words)
    if event.private:
        return text
    return f"{display_name(event.author.name or event.author.user)}: {text}"


def _beside(event: MessageReceived, files: Sequence[Opened], fence: Fence) -> Iterator[str]:
    """Fence what is not the person's own words."""
    if event.quoted:
        yield fence.around("in reply to this message by somebody else:", event.quoted)
    if pictures := _names([file for file in files if file.image]):
        yield fence.around("attached pictures:", pictures)
    if closed := _names([file for file in files if file.refused]):
        yield fence.around("attached, but you cannot open it:", closed)


def _names(files: Sequence[Opened]) -> str:
    return ", ".join(file.name for file in files)


def _told(files: Sequence[Opened], remarks: Mapping[str, str]) -> str:
    """Say which files are not there, or not all of them, and why: one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for file in files:
        for reason in filter(None, (file.refused, file.note, remarks.get(file.name))):
            reasons.setdefault(reason, []).append(f"`{file.name.replace('`', chr(39))}`")
    lines = [
        sentences.FILE_NOTE.format(names=", ".join(names), reason=reason)
        for reason, names in reasons.items()
    ]
    return "".join(f"{line}\n\n" for line in lines)


def _history(recalled: Recollected, fence: Fence, asked: str) -> tuple[list[Line], str]:
    """Return what was said before, and the question; a summary stands before the oldest line.

    It has no line of its own before another one of a person: some models refuse that.
    """
    history = [Line(line.role, line.shown) for line in recalled.lines]
    before = recalled.recap or recalled.found
    if not before:
        return history, asked
    mark = sentences.RECAP_MARK if recalled.recap else sentences.FOUND_MARK
    recap = fence.around(mark, before)
    if not history:
        return history, f"{recap}\n\n{asked}"
    if history[0].role != "user":
        return [Line("user", recap), *history], asked
    return [Line("user", f"{recap}\n\n{history[0].text}"), *history[1:]], asked
