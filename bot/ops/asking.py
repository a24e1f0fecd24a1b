"""The other end of the control socket: one request, one answer, no event loop."""

import json
import socket
from pathlib import Path
from typing import Any

from bot.domain.errors import ParleyError
from bot.ops.socket_path import address

ANSWER_S = 10.0  # seconds for the answer of a bot that runs


def ask(path: Path, verb: str, **values: Any) -> dict[str, Any] | None:
    """Ask the bot that listens on a socket file; None when no bot does.

    Raises:
        ParleyError: it does not answer in time, or what it says instead: one sentence.
    """
    try:
        with address(path) as name, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(name)
            connection.sendall(json.dumps({"verb": verb, **values}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b"{}")
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError as error:
        raise ParleyError(
            f"{path} is not yours: run this as the user that runs Parley, or as root"
        ) from error
    except (OSError, ValueError) as error:
        raise ParleyError(f"the running Parley does not answer on {path}: {error}") from error
    if "result" not in answer:
        raise ParleyError(answer.get("error", f"the running Parley hung up on {path}"))
    result: dict[str, Any] = answer["result"]
    return result
