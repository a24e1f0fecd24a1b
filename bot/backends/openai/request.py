"""What is sent: one chat completion as JSON, in the words that this server understands."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Literal, Self

import orjson

from bot.backends.openai.settings import OpenAISettings
from bot.domain.dialogue import Image, Line, Prompt
from bot.domain.text import storable

UNSEEN = "(You cannot see the attached pictures.)"
LimitField = Literal["max_tokens", "max_completion_tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a server understands; learnt from its complaints, since none of them says so before.

    OpenAI has replaced `max_tokens` and refuses it for reasoning models; most compatible servers
    know only `max_tokens`, and some of those take the other for nothing and never stop writing.
    """

    limit: LimitField
    learnt: bool = False  # the other name of the limit was tried already
    usage: bool = True  # knows `stream_options`
    effort: bool = True  # knows `reasoning_effort`
    names: bool = False  # takes a hashed person and conversation: OpenAI itself

    @classmethod
    def of(cls, *, official: bool) -> Self:
        """Return the best guess for OpenAI itself, or for any other server."""
        return cls(limit="max_completion_tokens" if official else "max_tokens", names=official)

    def after(self, complaint: str) -> Self | None:
        """Return the dialect to try after a rejected request; None when nothing is to be learnt."""
        if self.usage and "stream_options" in complaint:
            return replace(self, usage=False)
        if self.effort and "reasoning_effort" in complaint:
            return replace(self, effort=False)
        if not self.learnt and ("max_tokens" in complaint or "max_completion_tokens" in complaint):
            other: LimitField = (
                "max_tokens" if self.limit == "max_completion_tokens" else "max_completion_tokens"
            )
            return replace(self, limit=other, learnt=True)
        return None


def body(prompt: Prompt, settings: OpenAISettings, dialect: Dialect) -> bytes:
    """Write the request; lone surrogates in the prompt become U+FFFD."""
    fields: dict[str, object] = {
        "model": settings.model,
        "messages": _messages(prompt, settings),
        "stream": True,
    }
    if dialect.usage:
        fields["stream_options"] = {"include_usage": True}
    limits = [limit for limit in (settings.max_output_tokens, prompt.limit) if limit]
    if limits:
        fields[dialect.limit] = min(limits)
    if settings.temperature is not None:
        fields["temperature"] = settings.temperature
    if settings.effort and dialect.effort:
        fields["reasoning_effort"] = settings.effort
    if dialect.names:
        fields |= _names(prompt)
    try:
        return orjson.dumps(fields)
    except orjson.JSONEncodeError:  # a lone surrogate: rare, so nobody else pays for the search
        lines = tuple(Line(line.role, storable(line.text)) for line in prompt.lines)
        fields["messages"] = _messages(replace(prompt, lines=lines), settings)
        return orjson.dumps(fields)


def _messages(prompt: Prompt, settings: OpenAISettings) -> list[dict[str, object]]:
    """Write the lines; the newest one shows its pictures, or says that they cannot be seen."""
    messages: list[dict[str, object]] = [
        {"role": line.role, "content": line.text} for line in prompt.lines
    ]
    if prompt.images and messages:
        text = prompt.lines[-1].text
        messages[-1]["content"] = (
            [{"type": "text", "text": text}, *map(_shown, prompt.images)]
            if settings.vision
            else f"{text}\n\n{UNSEEN}"
        )
    return messages


def _shown(image: Image) -> dict[str, object]:
    url = f"data:{image.type};base64,{b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _names(prompt: Prompt) -> dict[str, object]:
    """Name the person for abuse handling and the conversation for prompt caching, both hashed.

    The API takes at most 64 characters (`safety_identifier` in the published OpenAPI description).
    """
    named = {"safety_identifier": prompt.person, "prompt_cache_key": prompt.conversation}
    return {field: _hashed(name) for field, name in named.items() if name}


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
