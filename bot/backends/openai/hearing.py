"""Reads an answer off the wire: bytes in, words out; no input or output of its own.

The events are read here and not by the SDK, whose typed stream costs 25 times the CPU. Bytes may be
cut anywhere; all events of one network read give one string.
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from bot.backends.openai.reasoning import Thinking
from bot.domain.replies import Reason
from bot.domain.text import storable

LONGEST_ANSWER = 200_000  # characters: what comes after is a model that cannot stop
LONGEST_LINE = 1_000_000  # bytes of one event
MOST_TOKENS = 10**9  # of one call: a count beyond is none

REASONS: Mapping[str, Reason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "filtered",
    "abort": "interrupted",
    "error": "interrupted",
}

_NOTHING: Mapping[str, Any] = {}
_WRONG_SHAPE = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)
_UNKNOWN_SHAPE = "sent an answer of an unknown shape"


class Garbled(Exception):
    """The server sent something that is not an answer; the text continues "<server> …"."""


class Complaint(Exception):
    """The server reported an error in the middle of its stream; `said` is what it sent."""

    def __init__(self, said: object) -> None:
        super().__init__("the server broke off with an error")
        self.said = said


class Hearing:
    """What has been heard of one answer."""

    __slots__ = ("_length", "_rest", "_thinking", "done", "reason", "size", "trouble", "used")

    def __init__(self) -> None:
        self._rest = b""  # of a line whose end has not come
        self._thinking = Thinking()
        self._length = 0
        self.size = 0  # UTF-8 bytes of text and thoughts, for the estimate
        self.reason: Reason | None = None  # as far as the server gave one
        self.used: tuple[int, int] | None = None  # tokens in and out, if the server says so
        self.trouble: Exception | None = None
        self.done = False  # nothing more is to come

    def feed(self, data: bytes) -> str:
        """Return the words that these bytes carry, joined; what goes wrong is left in `trouble`."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        heard: list[str] = []
        try:
            for line in lines:
                if line:
                    heard.append(self._read(line))  # noqa: PERF401 - words before an error stay
            if len(self._rest) > LONGEST_LINE:
                raise Garbled("sent an event without an end")
        except (Garbled, Complaint) as trouble:
            self.trouble, self.done = trouble, True
        return self._show("".join(heard))

    def close(self) -> str:
        """Return what was held back; the stream has ended, well or not."""
        return self._thinking.close(complete=self.reason == "complete")

    def whole(self, data: bytes) -> str:
        """Return the words of an answer that came in one piece, from a server without streaming.

        Raises:
            Garbled: this is not JSON, or of an unknown shape.
            Complaint: there is no answer in it.
        """
        event = _parse(data)
        try:
            choice = event["choices"][0]
            words = _text(choice["message"])
        except _WRONG_SHAPE:
            raise Complaint(event) from None
        try:
            self._end(choice.get("finish_reason") or "stop")
            self._note(event.get("usage"))
        except _WRONG_SHAPE as cause:
            raise Garbled(_UNKNOWN_SHAPE) from cause
        return self._show(words)

    def _read(self, line: bytes) -> str:
        """Read one line; comments and the other fields of server-sent events are passed over."""
        if line.startswith(b"data:"):
            payload = line[5:].strip()
        elif line.startswith(b"error:"):  # llama.cpp reports so that it cannot go on
            raise Complaint(_parse(line[6:]))
        else:
            return ""
        if payload == b"[DONE]":
            self.done = True
            self._end(None if self.reason else "stop")
        if not payload or self.done:
            return ""
        try:
            return self._take(_parse(payload))
        except _WRONG_SHAPE as cause:
            raise Garbled(_UNKNOWN_SHAPE) from cause

    def _take(self, event: Mapping[str, Any]) -> str:
        """Return the words of one event; this runs once per token."""
        choices = event.get("choices")
        if choices and choices[0].get("finish_reason") is None:
            content = (choices[0].get("delta") or _NOTHING).get("content")
            if content and isinstance(content, str):
                return content
        return self._unusual(event, choices[0] if choices else _NOTHING)

    def _unusual(self, event: Mapping[str, Any], choice: Mapping[str, Any]) -> str:
        """Take in all that comes once per answer: its end, the usage, an error, thoughts."""
        if event.get("error") or event.get("object") == "error":
            raise Complaint(event)
        self._end(choice.get("finish_reason"))
        self._note(event.get("usage"))
        delta = choice.get("delta") or _NOTHING
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):  # paid for, not shown
            self.size += len(thought.encode("utf-8", "replace"))
        return _text(delta)

    def _end(self, ending: str | None) -> None:
        if ending:
            self.reason = REASONS.get(ending, "complete")

    def _note(self, usage: Mapping[str, Any] | None) -> None:
        if usage:
            tokens = (
                int(usage.get("prompt_tokens") or 0),
                int(usage.get("completion_tokens") or 0),
            )
            if any(tokens) and all(0 <= count <= MOST_TOKENS for count in tokens):
                self.used = tokens

    def _show(self, words: str) -> str:
        """Hide thoughts, repair what cannot be stored, and end an answer without an end."""
        if not words:
            return ""
        self.size += len(words.encode("utf-8", "replace"))
        shown = self._thinking.feed(storable(words))
        self._length += len(shown)
        if self._length > LONGEST_ANSWER:
            shown = shown[: len(shown) - (self._length - LONGEST_ANSWER)]
            self.done, self.reason = True, "length"
        return shown


def _parse(payload: bytes) -> Mapping[str, Any]:
    """Read one JSON object; `json` takes lone surrogates, which orjson does not."""
    try:
        event = orjson.loads(payload)
    except orjson.JSONDecodeError:
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError) as cause:
            raise Garbled("sent something that is not JSON") from cause
    return event if isinstance(event, dict) else {}


def _text(message: Mapping[str, Any]) -> str:
    """Return the visible text of a message or delta: a string, a list of parts, or a refusal."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict))
        return "".join(part["text"] for part in parts if part.get("type") == "text")
    words = content or message.get("refusal") or ""
    if not isinstance(words, str):
        raise TypeError("words are no text")
    return words
