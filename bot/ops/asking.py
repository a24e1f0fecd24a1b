"""The other end of the control socket: one request, one answer, no event loop."""

import json
import socket
from pathlib import Path
from typing import Any

from bot.domain.errors import HungUp, ParleyError
from bot.ops.socket_path import address

ANSWER_S = 10.0  # seconds for the answer of a bot that runs


def ask(
    path: Path, verb: str, *, answer_s: float = ANSWER_S, **values: Any
) -> dict[str, Any] | None:
    """Ask the bot that listens on a socket file; None when no bot does.

    Raises:
        HungUp: it has ended before it answered.
        ParleyError: it does not answer in time, or what it says instead: one sentence.
    """
    hung_up = HungUp(f"the running Parley hung up on {path}")
    try:
        with address(path) as name, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(answer_s)
            connection.connect(name)
            connection.sendall(json.dumps({"verb": verb, **values}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
            if not line.endswith(b"\n"):
                raise hung_up
            answer = json.loads(line)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except ConnectionError as error:
        raise hung_up from error
    except PermissionError as error:
        raise ParleyError(
            f"{path} is not yours: run this as the user that runs Parley, or as root"
        ) from error
    except (OSError, ValueError) as error:
        raise ParleyError(f"the running Parley does not answer on {path}: {error}") from error
    if "result" not in answer:
        raise ParleyError(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result
