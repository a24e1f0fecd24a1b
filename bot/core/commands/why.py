"""`/why`: how an answer came about, for those who steer the bot; names and numbers alone."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.citing import plain
from bot.core.commands.desk import Known, Request
from bot.core.knowledge.readers import Readers
from bot.domain.commands import Command, Option
from bot.domain.errors import Declined
from bot.domain.events import CommandGiven
from bot.ports.traces import Traced, Traces

WHY = Command(
    name="why",
    about="How my last answer here came about",
    rank="moderator",
    options=(Option(name="message", about="The link or id of an answer; without it the last one"),),
)
NO_ANSWER = "I know of no answer here that I could explain."
HIDDEN = "one that you may not read here"
NO_SUCH = "I know of no such answer here. Give the link or the id of one, or nothing."
SLACK_ID = re.compile(r"p(\d{10})(\d{6})")
PAID = ("routes", "steps", "candidates", "scorer")  # notes whose parts were paid one by one
SHOWN = ("model", "persona", "chain", "cited", *PAID, "usage", "reason", "first_s", "total_s")

Price = Callable[[str, int, int], float]  # model, tokens in and out → USD


@dataclass(slots=True, kw_only=True)
class WhyCommand:
    """Explains an answer."""

    traces: Traces
    price: Price
    readers: Readers

    def known(self) -> tuple[Known, ...]:
        """Return this capability's command."""
        return (Known(WHY, self.why),)

    async def why(self, request: Request) -> str:
        """Tell how the last answer came about, or the one that is named or replied to."""
        place, named = request.event.conversation, request.argument
        if not named and isinstance(request.event, CommandGiven):
            named = request.event.answers
        if not named:
            found = await self.traces.latest(place, threads=request.threads)
            return self._told(await self._titled(found, request)) if found else NO_ANSWER
        found = await self.traces.of_message(place, _ids(named), threads=request.threads)
        if found is None:
            raise Declined(NO_SUCH)
        return self._told(await self._titled(found, request))

    async def _titled(self, traced: Traced, request: Request) -> Mapping[str, Any]:
        """Return the notes with the titles of those documents that whoever asks may read."""
        noted, cited = traced.notes.get("documents", ()), traced.notes.get("cited", ())
        if not noted:
            return traced.notes
        event = request.event
        found = await self.readers.passages(
            [note["id"] for note in noted],
            event.author, event.conversation, private=event.private,
        )  # fmt: skip
        names = {passage.id: plain(passage.name) for passage in found}
        told = [_document(note, names.get(note["id"], HIDDEN), cited) for note in noted]
        shown = self.readers.quoted(", ".join(told), event.conversation)
        return {**traced.notes, "documents": shown}

    def _told(self, notes: Mapping[str, Any]) -> str:
        lines = [f"- {name}: {told}" for name, told in self._lines(notes) if told]
        return "How this answer came about:\n\n" + "\n".join(lines)

    def _lines(self, notes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "Model", notes.get("model", "")
        yield "Persona", notes.get("persona", "")
        yield "Chain", notes.get("chain", "")
        yield "Route", ", ".join(map(_route, notes.get("routes", ())))
        for name in ("steps", "candidates", "scorer"):
            yield name.capitalize(), ", ".join(map(_part, notes.get(name, ())))
        for name, value in notes.items():
            if name not in SHOWN:
                yield name.replace("_", " ").capitalize(), _plain(value)
        yield "Tokens", self._paid(notes)
        yield "Time", _times(notes)
        yield "End", notes.get("reason", "")

    def _paid(self, notes: Mapping[str, Any]) -> str:
        """Add up tokens and cost of all calls, by today's prices."""
        calls = list(_calls(notes))
        if not calls:
            return ""
        given, said = sum(call[1] for call in calls), sum(call[2] for call in calls)
        cost = sum(self.price(*call) for call in calls)
        about = "about " if notes.get("usage", {}).get("estimated") else ""
        return f"{about}{given} in, {said} out; ${cost:.4f}"


def _ids(argument: str) -> tuple[str, ...]:
    """Return the ids that a link or an id may stand for, as its platform writes them."""
    last = argument.strip().strip("<>").partition("?")[0].rstrip("/").rpartition("/")[2]
    found = SLACK_ID.fullmatch(last)
    return (argument.strip(), last, *((f"{found[1]}.{found[2]}",) if found else ()))


def _calls(notes: Mapping[str, Any]) -> Iterable[tuple[str, int, int]]:
    """Return model and tokens of each call; an answer without parts was one call."""
    parts = [part for name in PAID for part in notes.get(name, ()) if part.get("model")]
    calls = [(part["model"], part["in"], part["out"]) for part in parts]
    usage = notes.get("usage", {})
    if usage.get("model") and not (notes.get("steps") or notes.get("candidates")):
        calls.append((usage["model"], usage["input_tokens"], usage["output_tokens"]))
    return calls


def _document(note: Mapping[str, Any], name: str, cited: Collection[int]) -> str:
    return f"{name} ({note['score']:g}{', cited' if note['id'] in cited else ''})"


def _route(hop: Mapping[str, Any]) -> str:
    score = f", {hop['score']:g}" if "score" in hop else ""
    return f"{hop['chain']} → {hop['to']} ({hop['why']}{score})"


def _part(part: Mapping[str, Any]) -> str:
    """Describe a step, a candidate or the scorer."""
    about = [part["model"]] if part.get("model") else []
    if part.get("model"):
        about.append(f"{part['in']} in, {part['out']} out")
    if part.get("score") is not None:
        about.append(f"score {part['score']:g}")
    about += ["shown"] * bool(part.get("chosen")) + ["kept from before"] * bool(part.get("again"))
    return f"{part['name']} ({', '.join(about)})" if about else str(part["name"])


def _plain(value: Any) -> str:
    """Write what another stage has noted: its own names, and numbers in short."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _times(notes: Mapping[str, Any]) -> str:
    """Say how long a person waited."""
    first, total = notes.get("first_s"), notes.get("total_s")
    parts = [f"first seen after {first:.1f} s"] if first is not None else []
    parts += [f"complete after {total:.1f} s"] if total is not None else []
    return ", ".join(parts)
