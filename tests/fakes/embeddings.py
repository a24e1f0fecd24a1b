"""Vectors for tests: texts with words in common lie close together, always the same way."""

import hashlib
import re
from array import array
from base64 import b64encode
from typing import Any

WIDTH = 256
_WORD = re.compile(r"\w+")


def meaning(text: str, width: int = WIDTH) -> list[float]:
    """Return how often which words occur; it has no length of 1, as some servers' vectors."""
    numbers = [0.0] * width
    numbers[0] = 0.1  # a text without words is something too
    for word in _WORD.findall(text.lower()):
        numbers[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % width] += 1.0
    return numbers


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Answer a call of /v1/embeddings."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    packed = body.get("encoding_format") == "base64"
    entries = []
    for place, text in enumerate(texts):
        numbers: Any = meaning(text, body.get("dimensions") or WIDTH)
        if packed:
            numbers = b64encode(array("f", numbers).tobytes()).decode()
        entries.append({"object": "embedding", "index": place, "embedding": numbers})
    read = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "model": body["model"], "data": entries, "usage": usage}
