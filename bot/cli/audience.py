"""Who hears what lies in a collection, as the configuration says it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.config.reader import overlay, parsed

UNKNOWN = "unknown without --config"


def readers(path: Path | None, collection: str) -> str:
    """Return who may read a collection, unless its settings may stand in a file not named here."""
    known = _table(_raw(path), "collections")
    if path is None and collection not in known:
        return UNKNOWN
    said = _table(known, collection)
    places = [f"in {place}" for place in said.get("places", ())]
    alone = "everybody in private" if places else "everybody"
    return ", ".join([*map(str, said.get("readers") or (alone,)), *places])


def surprises(path: Path | None, collection: str) -> Iterator[str]:
    """Yield what somebody who adds to a collection may not have meant, as with a slip in its name.

    The default collection needs no table, since everybody may read it.
    """
    if path is None:  # the bot may well have a configuration that is not named here
        return
    raw = _raw(path)
    if collection != "default" and collection not in _table(raw, "collections"):
        yield (f"{collection}: everybody may read it, since the configuration has no "
               f"[collections.{collection}].")  # fmt: skip
    searched = _table(raw, "knowledge").get("collections", [])
    places = [_table(raw, "channels", name, "knowledge") for name in _table(raw, "channels")]
    if searched and not any(collection in said.get("collections", ())
                            for said in (_table(raw, "knowledge"), *places)):  # fmt: skip
        yield f"{collection}: no answer leans on it, since knowledge.collections does not name it."


def _raw(path: Path | None) -> dict[str, Any]:
    raw = parsed(path)
    overlay(raw, os.environ)  # what does not fit `parley check` tells
    return raw


def _table(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a table below others; an empty one where it is missing, or no table."""
    found: Any = raw
    for name in names:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}
