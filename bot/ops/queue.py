"""What an operator asks about messages that are not answered, and the answers.

A running bot does this over its control socket, `parley queue` beside a stopped one by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from bot.domain.errors import ParleyError
from bot.domain.events import to_plain
from bot.ops.control import Verbs
from bot.ports.upkeep import Backlog

LISTED = 1000  # entries at most
SECRETS = ("reply_via",)  # fields of an event that open a door


def verbs(backlog: Backlog) -> Verbs:
    """Return the verbs by name, each from a request to an answer."""
    known = {"list": _list, "show": _show, "retry": _retry, "drop": _drop}
    return {name: partial(verb, backlog) for name, verb in known.items()}


async def _list(backlog: Backlog, _: Mapping[str, Any]) -> dict[str, Any]:
    entries = await backlog.entries(limit=LISTED + 1)
    return {"entries": [asdict(entry) for entry in entries[:LISTED]], "cut": len(entries) > LISTED}


async def _show(backlog: Backlog, request: Mapping[str, Any]) -> dict[str, Any]:
    id = _number(request)
    found = await backlog.find(id)
    if found is None:
        raise _unknown(id)
    entry, event = found
    plain = {name: value for name, value in to_plain(event).items() if name not in SECRETS}
    return {"entry": asdict(entry), "event": plain}


async def _retry(backlog: Backlog, request: Mapping[str, Any]) -> dict[str, Any]:
    id = _number(request)
    if await backlog.retry(id):
        return {"id": id, "state": "waiting"}
    if await backlog.find(id) is None:
        raise _unknown(id)
    raise ParleyError(f"{id}: was not given up; it is answered when its turn comes")


async def _drop(backlog: Backlog, request: Mapping[str, Any]) -> dict[str, Any]:
    id = _number(request)
    if await backlog.drop(id):
        return {"id": id, "state": "declined"}
    if await backlog.find(id) is None:
        raise _unknown(id)
    raise ParleyError(f"{id}: is being answered at this moment; only /stop in the chat ends that")


def _number(request: Mapping[str, Any]) -> int:
    try:
        number = int(request["id"])
    except (KeyError, TypeError, ValueError):
        number = 0
    if not 0 < number < 1 << 63:  # what the store can count to
        raise ParleyError("name a message by the number that `parley queue list` shows")
    return number


def _unknown(id: int) -> ParleyError:
    return ParleyError(f"{id}: there is no such message in the queue; see `parley queue list`")
