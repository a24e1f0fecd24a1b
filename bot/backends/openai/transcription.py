"""What is said in a recording, by a server's transcriptions."""

import math

from openai import AsyncOpenAI

from bot.backends.openai.hearing import MOST_TOKENS
from bot.domain.dialogue import SOUND_TOKENS
from bot.domain.replies import Usage
from bot.ports.files import Downloaded, Recording

# Servers go by the ending of the name.
ENDINGS = {
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/wav": "wav",
    "audio/flac": "flac", "video/mp4": "mp4", "video/webm": "webm",
}  # fmt: skip


async def transcribed(
    client: AsyncOpenAI, file: Downloaded, *, name: str, model: str, language: str
) -> Recording:
    """Return the words of a file, and what they took as far as the server says."""
    sent = (f"recording.{ENDINGS.get(file.type, 'ogg')}", file.data, file.type)
    hint = {"language": language} if language else {}
    said = await client.audio.transcriptions.create(
        file=sent, model=model, response_format="json", extra_body=hint
    )
    usage, used = None, getattr(said, "usage", None)
    into = _count(getattr(used, "input_tokens", None))
    out = _count(getattr(used, "output_tokens", None))
    seconds = _count(getattr(used, "seconds", None))
    if into is not None:
        usage = Usage(model=name, input_tokens=into, output_tokens=out or 0)
    elif seconds is not None:
        usage = Usage(model=name, input_tokens=int(seconds * SOUND_TOKENS) + 1)
    text = getattr(said, "text", "")
    return Recording(text=text if isinstance(text, str) else "", usage=usage)


def _count(said: object) -> int | None:
    """Return a number that a server has counted, up; None when it says none that can be meant."""
    if isinstance(said, int | float) and 0 <= said <= MOST_TOKENS:
        return math.ceil(said)
    return None
