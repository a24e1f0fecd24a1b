"""Put the prompt together: who the bot is, what was said, what is asked."""

from dataclasses import dataclass

from bot.core import sentences
from bot.core.memory import Recall
from bot.core.memory.kinds import PER_LINE
from bot.domain.dialogue import Line, Prompt
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.text import display_name
from bot.ports.store import Remembered, Turn
from bot.ports.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt, and a note to the person when their message had to be cut."""

    prompt: Prompt
    note: str = ""

    @property
    def half(self) -> int:
        """Roughly half the tokens that this prompt has, at four bytes a token."""
        return sum(len(line.text.encode()) for line in self.prompt.lines) // 8


@dataclass(slots=True, kw_only=True)
class Composing:
    """Composes prompts within the token budget of the policy."""

    recall: Recall
    tokens: TokenCounter

    async def compose(
        self, turn: Turn, event: MessageReceived, policy: Policy, *, budget: int
    ) -> Composed:
        """Return the prompt for one message, memory and question within `budget` tokens."""
        question = _question(event)
        asked = await self._within(question, budget)
        left = budget - await self._size(asked, budget)
        lines = await self.recall.lines(
            turn.memory, turn.epoch, policy.memory, budget=left, without=event.replaces
        )
        system = (Line("system", policy.system_prompt),) if policy.system_prompt else ()
        history = tuple(_shown(line) for line in lines)
        prompt = Prompt(
            lines=(*system, *history, Line("user", asked)),
            person=str(event.author),
            conversation=turn.lane,
        )
        return Composed(prompt, sentences.CUT_NOTE if asked != question else "")

    async def _size(self, text: str, budget: int) -> int:
        size = len(text.encode())
        if size <= budget // 4:  # the byte bound is close enough, and needs no tokenizer
            return size + PER_LINE
        await self.tokens.load()
        return self.tokens.count(text) + PER_LINE

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


def _question(event: MessageReceived) -> str:
    text = event.words
    if not event.private:
        text = f"{display_name(event.author.name or event.author.user)}: {text}"
    if event.quoted:
        quoted = "\n".join(f"> {line}" for line in event.quoted.splitlines())
        text = f"{text}\n\n[In reply to this message by somebody else:]\n{quoted}"
    if event.attachments:
        names = ", ".join(display_name(name) for name in event.attachments)
        text = f"{text}\n\n[Attached, but you cannot open it: {names}]"
    return text


def _shown(line: Remembered) -> Line:
    text = f"{line.name}: {line.text}" if line.role == "user" and line.name else line.text
    return Line(line.role, text)
