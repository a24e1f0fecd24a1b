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
LONGEST_LINE = 4_000_000  # bytes of one event

REASONS: Mapping[str, Reason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "filtered",
    "abort": "interrupted",
    "error": "interrupted",
}


class Garbled(Exception):
    """The server sent something that is not an answer; the text continues "<server> …"."""


class Complaint(Exception):
    """The server reported an error in the middle of its stream; `said` is what it sent."""

    def __init__(self, said: object) -> None:
        super().__init__("the server broke off with an error")
        self.said = said


class Hearing:
    """What has been heard of one answer."""

    __slots__ = ("_length", "_rest", "_thinking", "done", "reason", "size", "used")

    def __init__(self) -> None:
        self._rest = b""  # of a line whose end has not come
        self._thinking = Thinking()
        self._length = 0
        self.size = 0  # UTF-8 bytes of text and thoughts, for the estimate
        self.reason: Reason | None = None  # as far as the server gave one
        self.used: tuple[int, int] | None = None  # tokens in and out, if the server says so
        self.done = False  # nothing more is to come

    def feed(self, data: bytes) -> str:
        """Return the words that these bytes carry, joined.

        Raises:
            Garbled: this is no event stream.
            Complaint: an event reports an error.
        """
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST_LINE:
            raise Garbled("sent an event without an end")
        words = [self._read(line) for line in lines if line]
        return self._show("".join(words))

    def close(self) -> str:
        """Return what was held back; the stream has ended, well or not."""
        rest, self._rest = self._rest, b""
        words = self._show(self._read(rest)) if rest and not self.done else ""
        return words + self._thinking.close(complete=self.reason == "complete")

    def whole(self, data: bytes) -> str:
        """Return the words of an answer that a server without streaming gave in one piece."""
        event = _parse(data)
        choices = event.get("choices")
        if event.get("error") or not choices:
            raise Complaint(event)
        self._note(event)
        self.reason = self.reason or "complete"
        words = self._show(_text(choices[0].get("message") or {}))
        return words + self._thinking.close(complete=True)

    def _read(self, line: bytes) -> str:
        """Read one line; comments and the other fields of server-sent events are passed over."""
        if line.startswith(b"data:"):
            payload = line[5:].strip()
        elif line.startswith(b"error:"):  # llama.cpp, before 2026
            payload = line[6:].strip()
        else:
            return ""
        if payload == b"[DONE]":
            self.done = True
            self.reason = self.reason or "complete"
            return ""
        return self._take(_parse(payload)) if payload and not self.done else ""

    def _take(self, event: Mapping[str, Any]) -> str:
        """Take one event in: words, the reason of the end, the usage, or an error."""
        choices = event.get("choices")
        if not choices or event.get("usage"):
            self._note(event)
        if not choices:
            return ""
        choice = choices[0]
        if ending := choice.get("finish_reason"):
            self.reason = REASONS.get(ending, "complete")
        delta = choice.get("delta") or {}
        content = delta.get("content")
        if isinstance(content, str) and content:
            return content
        return self._unusual(delta)

    def _note(self, event: Mapping[str, Any]) -> None:
        """Keep the usage; llama.cpp and vLLM put errors where an event is expected."""
        if event.get("error") or event.get("object") == "error":
            raise Complaint(event)
        usage = event.get("usage")
        if isinstance(usage, dict) and (usage.get("prompt_tokens") or usage.get("completion_tokens")):
            self.used = (usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
            ending = (event.get("choices") or [{}])[0].get("finish_reason")
            if ending:
                self.reason = REASONS.get(ending, "complete")

    def _unusual(self, delta: Mapping[str, Any]) -> str:
        """Return the text of a delta that has it elsewhere; count thoughts without showing them."""
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):
            self.size += len(thought.encode("utf-8", "replace"))
        return _text(delta)

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
        except ValueError as cause:
            raise Garbled("sent something that is not JSON") from cause
    return event if isinstance(event, dict) else {}


def _text(message: Mapping[str, Any]) -> str:
    """Return the visible text of a message or delta: a string, a list of parts, or a refusal."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and part.get("type") == "text" and "text" in part
        )
    return content or message.get("refusal") or ""
