"""Logs for operators: ids, never message text; one JSON object a line when nobody watches.

A filter on the root handler takes tokens out of every record, the SDKs' included.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from bot.domain.secrets import without_tokens

_HEADER = re.compile(r"Bearer\s+[\w.~+/=-]+")  # in a log it is one, however short
CHATTY = ("httpx", "httpx2", "httpcore", "httpcore2", "aiosqlite", "asyncio", "slack_bolt",
          "slack_sdk", "discord", "telegram", "openai", "aiohttp.access")  # fmt: skip


def redacted(text: str) -> str:
    """Replace what looks like a token."""
    return without_tokens(_HEADER.sub("***", text))


class PlainFormatter(logging.Formatter):
    """`12:00:01 warning bot.core.turn: sentence`, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line for a person."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{at} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        if record.exc_info:
            line = f"{line}: {_failure(self, record.exc_info)}"
        return redacted(line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line for a machine."""
        row = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["error"] = _failure(self, record.exc_info)
        return json.dumps({key: redacted(value) for key, value in row.items()}, ensure_ascii=False)


def _failure(formatter: logging.Formatter, failure: Any) -> str:
    """Show a traceback to who debugs; to others the kind of error, which quotes no text."""
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return "\n" + formatter.formatException(failure)
    return failure[0].__name__ if failure[0] else "unknown"


def configure(level: str = "info", style: Literal["auto", "json", "text"] = "auto") -> None:
    """Send every logger to stderr; the SDKs' own loggers speak from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    plain = style == "text" or (style == "auto" and sys.stderr.isatty())
    handler.setFormatter(PlainFormatter() if plain else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")
