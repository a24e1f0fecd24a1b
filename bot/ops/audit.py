"""What was decided, by whom, and whether the log that says so is whole.

A running bot reads it over its control socket, `parley audit` beside a stopped one by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.ops.control import Verbs
from bot.ports.people import Audit

MOST = 1_000_000  # lines of one answer


def verbs(audit: Audit) -> Verbs:
    """Return the verb by name, from a request to an answer."""

    async def read(request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the newest lines, newest first, and the first line that is not as it was."""
        limit = request.get("limit")
        limit = limit if isinstance(limit, int) and 0 < limit < MOST else MOST
        lines = await audit.records(limit=limit)
        return {"lines": [asdict(line) for line in lines], "broken": await audit.broken()}

    return {"audit": read}
