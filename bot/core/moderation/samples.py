"""What of a message is judged, and a message without what was found in it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from bot.core import sentences
from bot.domain.attachments import Opened
from bot.domain.events import MessageReceived
from bot.domain.moderation import Findings, redacted
from bot.domain.text import visible


def cleaned(event: MessageReceived) -> MessageReceived:
    """Return a message as a person sees it: guards, model and memory are given the same words."""
    return _changed(event, [visible(text) for text in _texts(event)])


def judged_text(event: MessageReceived) -> str:
    """Return all words that the model would see: the message, what it quotes, names of files."""
    return "\n".join(_texts(event)).strip("\n")


def without(event: MessageReceived, findings: Findings) -> MessageReceived:
    """Take what was found out of a message; where a guard does not say where, out of all of it."""
    texts = _texts(event)
    skipped = len("\n".join(texts)) - len("\n".join(texts).lstrip("\n"))
    return _changed(event, _cleared(texts, findings, skipped))


def files_without(files: Sequence[Opened], findings: Findings) -> tuple[Opened, ...]:
    """Take what was found out of files; where a guard does not say where, pictures go as well."""
    texts = _cleared([file.text for file in files], findings, 0)
    anywhere = any(not finding.spans for finding in findings)
    return tuple(
        replace(file, image=None, refused=sentences.UNSHOWN)
        if file.image and anywhere
        else replace(file, text=text)
        for file, text in zip(files, texts, strict=True)
    )


def _cleared(texts: Sequence[str], findings: Findings, skipped: int) -> list[str]:
    """Take findings out of texts that were judged as one, without `skipped` line ends before."""
    starts = accumulate([-skipped, *(len(text) + 1 for text in texts[:-1])])
    return [
        redacted(text, within(findings, start, start + len(text))) if text else ""
        for start, text in zip(starts, texts, strict=True)
    ]


def within(findings: Findings, start: int, end: int) -> Findings:
    """Return findings as they lie in a stretch of a text; those without a place lie all over."""
    placed = []
    for finding in findings:
        spans = tuple(
            (max(a, start) - start, min(b, end) - start)
            for a, b in finding.spans
            if a < end and b > start
        )
        if spans or not finding.spans:
            placed.append(replace(finding, spans=spans))
    return tuple(placed)


def _texts(event: MessageReceived) -> list[str]:
    names = (file.name for file in event.attachments)
    return [*(text for _, text in event.before), event.text, event.quoted, *names]


def _changed(event: MessageReceived, texts: list[str]) -> MessageReceived:
    if texts == _texts(event):
        return event
    earlier = len(event.before)
    before = tuple((id, text) for (id, _), text in zip(event.before, texts, strict=False))
    named = zip(event.attachments, texts[earlier + 2 :], strict=True)
    return replace(
        event,
        before=before,
        text=texts[earlier],
        quoted=texts[earlier + 1],
        attachments=tuple(replace(file, name=name) for file, name in named),
    )
