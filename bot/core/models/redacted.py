"""Ask a model without telling it personal data; its answer has the data in it again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from bot.core.redaction import Redactor
from bot.domain.dialogue import Delta, Ended, Line, Prompt
from bot.ports.model import Model

NOTE = "Names such as [EMAIL_1] stand for personal data: repeat them exactly as written."


class Redacted:
    """A model that sees placeholders where its caller sees personal data."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Hide, ask, and restore word by word."""
        redactor = Redactor()
        async with aclosing(self._model.stream(_hidden(prompt, redactor))) as deltas:
            async for delta in deltas:
                ended = isinstance(delta, Ended)
                words = redactor.close() if isinstance(delta, Ended) else redactor.shown(delta)
                if words:
                    yield words
                if ended:
                    yield delta


def _hidden(prompt: Prompt, redactor: Redactor) -> Prompt:
    lines = [Line(line.role, redactor.hide(line.text)) for line in prompt.lines]
    if redactor.hides:
        first = lines[0] if lines[0].role == "system" else None
        said = f"{first.text}\n\n{NOTE}" if first else NOTE
        lines[: 1 if first else 0] = [Line("system", said)]
    return replace(prompt, lines=tuple(lines))
