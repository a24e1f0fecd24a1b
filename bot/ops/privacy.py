"""What an operator does for a person who asks what is stored about them, or to be forgotten.

A running bot does this over its control socket, the verbs beside a stopped one by themselves.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.domain.errors import ParleyError
from bot.ops.control import Verbs
from bot.ports.privacy import Forgotten

PERSON = re.compile(r"[a-z][a-z0-9_]*:[^:\s]*:[^:\s]+")

Export = Callable[[str], Awaitable[Mapping[str, Any]]]
Forget = Callable[[str], Awaitable[Forgotten]]


def verbs(export: Export, forget: Forget) -> Verbs:
    """Return the verbs by name, each from a request to an answer."""

    async def exported(request: Mapping[str, Any]) -> dict[str, Any]:
        person = _person(request)
        return {"person": person, "stored": await export(person)}

    async def forgotten(request: Mapping[str, Any]) -> dict[str, Any]:
        person = _person(request)
        done = await forget(person)
        return {"person": person, "deleted": dict(done.counts), "complete": done.complete}

    return {"export": exported, "forget": forgotten}


def _person(request: Mapping[str, Any]) -> str:
    person = str(request.get("person", ""))
    if not PERSON.fullmatch(person):
        raise ParleyError(
            f"{person}: is no person; write platform:workspace:user, as /whoami shows it, "
            "such as telegram::42"
        )
    return person
