"""Writes down what people say in recordings: one paid call each, and their own words afterwards."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.core import sentences
from bot.core.metering import Metering
from bot.domain.attachments import Opened
from bot.domain.budgets import Tariff
from bot.domain.dialogue import SOUND_TOKENS, Prompt
from bot.domain.errors import FileRefused, ModelError, ParleyError
from bot.domain.events import MessageReceived
from bot.domain.replies import Usage
from bot.ports.files import Downloaded, Transcriber

SOUNDS = ("audio/", "video/mp4", "video/webm")  # beginnings of media types that have a voice
LEAST_BYTES_S = 2_000  # bytes of a second of speech, at least: a bound of how long it may be
USUAL_BYTES_S = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Hears by one of the configured models."""

    transcriber: Callable[[], Awaitable[Transcriber | None]]  # None: it may not be sent anything
    tariff: Tariff
    metering: Metering
    language: str = ""

    async def heard(self, file: Downloaded, event: MessageReceived) -> str:
        """Return what is said in a file.

        Raises:
            FileRefused: nothing is, or nobody can tell.
            OverBudget: a limit leaves no room for it.
        """
        transcriber = await self.transcriber()
        if transcriber is None:
            raise FileRefused(sentences.PRIVATE_SOUND)
        size = len(file.data)
        asked = Prompt(
            lines=(), person=str(event.payer), conversation=str(event.conversation),
            purpose="transcription", sound_s=size // LEAST_BYTES_S + 1,
        )  # fmt: skip
        meter = await self.metering.begin(asked, self.tariff)
        try:
            found = await transcriber.transcribe(file, self.language)
            meter.settle(found.usage or self._usage(size))
        except ModelError as error:
            meter.settle(error.usage)
            raise FileRefused(sentences.UNHEARD) from error
        except ParleyError:
            meter.settle(Usage())
            raise
        finally:  # given up: it was heard all the same
            meter.settle(self._usage(size))
        if not found.text.strip():
            raise FileRefused(sentences.SILENCE)
        return found.text.strip()

    def _usage(self, size: int) -> Usage:
        tokens = (size // USUAL_BYTES_S + 1) * SOUND_TOKENS
        return Usage(model=self.tariff.model, input_tokens=tokens, estimated=True)


def spoken(
    event: MessageReceived, files: Sequence[Opened]
) -> tuple[MessageReceived, tuple[Opened, ...]]:
    """Let a recording without a text be what its author says; beside a text it is a file."""
    said = [file.text for file in files if file.spoken and file.text]
    if event.words.strip() or not said:
        return event, tuple(files)
    rest = tuple(file for file in files if not (file.spoken and file.text))
    return replace(event, text="\n".join(said)), rest
