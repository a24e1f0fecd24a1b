"""What is said in a recording, by a server's transcriptions."""

from openai import AsyncOpenAI

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
    into, seconds = getattr(used, "input_tokens", None), getattr(used, "seconds", None)
    if isinstance(into, int):
        out = getattr(used, "output_tokens", None) or 0
        usage = Usage(model=name, input_tokens=into, output_tokens=out)
    elif isinstance(seconds, int | float):
        usage = Usage(model=name, input_tokens=int(seconds * SOUND_TOKENS) + 1)
    text = getattr(said, "text", "")
    return Recording(text=text if isinstance(text, str) else "", usage=usage)
