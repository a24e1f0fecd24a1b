"""Logs for operators: ids, never message text; one JSON object a line when nobody watches.

A filter on the root handler takes tokens out of every record, the SDKs' included.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

TOKENS = re.compile(
    r"xox[abeprs]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,}|\b\d{6,12}:[\w-]{30,}"
    r"|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}|Bearer\s+\S+|(?<=/webhooks/)\d+/[\w.-]+"
)
CHATTY = ("httpx", "httpx2", "httpcore", "httpcore2", "aiosqlite", "asyncio", "slack_bolt",
          "slack_sdk", "discord", "telegram", "openai", "aiohttp.access")  # fmt: skip


def redacted(text: str) -> str:
    """Replace what looks like a token."""
    return TOKENS.sub("***", text)


class PlainFormatter(logging.Formatter):
    """`12:00:01 warning bot.core.turn: sentence`, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line for a person."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{at} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
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
            row["traceback"] = self.formatException(record.exc_info)
        return redacted(json.dumps(row, ensure_ascii=False))


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
