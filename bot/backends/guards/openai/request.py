"""What is sent: words in pieces that the server takes, each picture by itself."""

from base64 import b64encode
from collections.abc import Iterator

import orjson

from bot.domain.errors import GuardError
from bot.domain.moderation import Sample
from bot.domain.text import storable

PIECE = 20_000  # characters of one input; longer texts become several, of one request
OVERLAP = 200  # characters that two pieces share, so that nothing hides at their seam
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def bodies(sample: Sample, model: str) -> list[bytes]:
    """Write the requests about one sample.

    Raises:
        GuardError: a picture is of a kind that the server does not know.
    """
    inputs: list[object] = [_picture(image) for image in sample.images]
    if sample.text.strip() or not inputs:
        pieces = list(_pieces(storable(sample.text)))
        inputs.insert(0, pieces if len(pieces) > 1 else pieces[0])
    return [orjson.dumps({"model": model, "input": one}) for one in inputs]


def _pieces(text: str) -> Iterator[str]:
    yield text[:PIECE]
    for start in range(PIECE - OVERLAP, len(text) - OVERLAP, PIECE - OVERLAP):
        yield text[start : start + PIECE]


def _picture(image: bytes) -> list[object]:
    for beginning, kind in BEGINNINGS.items():
        if image.startswith(beginning):
            url = f"data:{kind};base64,{b64encode(image).decode()}"
            return [{"type": "image_url", "image_url": {"url": url}}]
    raise GuardError("a picture is of a kind that moderation does not know")
