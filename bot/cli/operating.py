"""Verbs of operation: the running bot is asked; where none runs, the database is opened."""

import time
from collections.abc import Callable
from typing import Any

from bot.domain.errors import StoreInUse
from bot.ops.asking import ANSWER_S, ask
from bot.ops.place import Place

STARTING_S = 5.0  # seconds after which a bot that has its database listens, or never will
LOOKING_S = 0.05  # seconds between two looks


def operate(
    place: Place, verb: str, here: Callable[[], Any], *, answer_s: float = ANSWER_S, **values: Any
) -> Any:
    """Ask the bot of a place for a verb, or do it `here`; one that is just starting is waited for.

    Raises:
        StoreInUse: another process has the database and does not listen.
        ParleyError: it cannot be done; one sentence.
    """
    end = time.monotonic() + STARTING_S
    while True:
        answer = ask(place.socket, verb, answer_s=answer_s, **values)
        if answer is not None:
            return answer
        try:
            return here()
        except StoreInUse:
            if time.monotonic() > end:
                raise
        time.sleep(LOOKING_S)
