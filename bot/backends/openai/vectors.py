"""Vectors as a server sends them: numbers or base64, in; bytes of length 1, out."""

import math
import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bot.backends.openai.hearing import MOST_TOKENS, Complaint, Garbled
from bot.backends.openai.settings import OpenAISettings
from bot.domain.text import storable

MOST_NUMBERS = 65_536  # of one vector: a server that sends more has gone wrong
_WRONG_SHAPE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError)


def asked(texts: Sequence[str], settings: OpenAISettings, *, packed: bool) -> bytes:
    """Write the request; `packed` asks for base64, a quarter of the bytes, which not all know."""
    fields: dict[str, object] = {
        "model": settings.model,
        "input": [storable(text) or " " for text in texts],  # OpenAI refuses an empty one
    }
    if packed:
        fields["encoding_format"] = "base64"
    if settings.dimensions:
        fields["dimensions"] = settings.dimensions
    return orjson.dumps(fields)


def answered(data: bytes, count: int) -> tuple[list[bytes], int | None]:
    """Return `count` vectors in the order of the texts, and the tokens that they took, if said.

    Raises:
        Garbled: these are not as many vectors, or not of one size, or no vectors at all.
        Complaint: the server reports an error instead.
    """
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError as cause:
        raise Garbled("sent something that is not JSON") from cause
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise Complaint(answer)
    try:
        entries = {_index(entry, place): entry for place, entry in enumerate(answer["data"])}
        if sorted(entries) != list(range(count)):
            raise Garbled(f"sent {len(answer['data'])} vectors for {count} texts")
        vectors = [_vector(entries[place]["embedding"]) for place in range(count)]
        tokens = _tokens(answer.get("usage"))
    except _WRONG_SHAPE as cause:
        raise Garbled("sent vectors of an unknown shape") from cause
    if len({len(vector) for vector in vectors}) > 1:
        raise Garbled("sent vectors of different sizes")
    return vectors, tokens


def _index(entry: Mapping[str, Any], place: int) -> int:
    """Return which text a vector belongs to; some servers number them, all keep the order."""
    index = entry.get("index")
    return place if index is None else int(index)


def _vector(given: str | Sequence[float]) -> bytes:
    """Return a vector of length 1.

    Raises:
        ValueError: it has no length, or no end.
    """
    if isinstance(given, str):
        numbers = array("f", b64decode(given, validate=True))
        if sys.byteorder == "big":
            numbers.byteswap()
    else:
        numbers = array("f", given)
    length = math.hypot(*numbers) if len(numbers) <= MOST_NUMBERS else 0.0
    if not 0 < length < math.inf:
        raise ValueError("no vector")
    unit = array("f", [number / length for number in numbers])
    if sys.byteorder == "big":
        unit.byteswap()
    return unit.tobytes()


def _tokens(usage: Mapping[str, Any] | None) -> int | None:
    if not usage:
        return None
    count = int(usage.get("prompt_tokens") or usage.get("total_tokens") or 0)
    return count if 0 < count <= MOST_TOKENS else None
