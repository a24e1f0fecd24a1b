"""Updates as Telegram might send them: from the published types, and bent out of shape."""

import random
from pathlib import Path
from typing import Any

import orjson

from adapters.telegram.inbound import read
from adapters.telegram.words import Me

# Compacted from PaulSonOfLars/telegram-bot-api-spec (MIT; Bot API 10.1, and one kind of 10.3): what an
# Update can hold. A name that ends in `?` may be absent; a list names the kinds of a type.
TYPES: dict[str, Any] = orjson.loads((Path(__file__).parent / "update_types.json").read_bytes())
KINDS = [name.rstrip("?") for name in TYPES["Update"] if name.endswith("?")]
ACTED = {"message": "from", "edited_message": "from", "message_reaction": "user"}
HOSTILE = (
    None, "", "x", "\x00", "\ud800", "👍", -1, 0, 1.5, 10**400, True, [], {}, [[]], [None],
    {"id": {}},
)  # fmt: skip
WORDS = (
    "hello", "/reset now", "/help@parley_bot", "@parley_bot hi", "👍", "supergroup", "private",
    "member", "left", "mention", "",
)  # fmt: skip

BOT = {"id": 99, "is_bot": True, "first_name": "Parley", "username": "parley_bot"}
ME = Me(99, "Parley_Bot", {"reset": "reset", "new": "reset", "help": "help", "learn": "learn"})
ANNA = {"id": 42, "is_bot": False, "first_name": "Anna", "last_name": "Ber", "username": "anna"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Anna"}
GROUP = {"id": -1001, "type": "supergroup", "title": "Team"}


def update(kind: str, seed: random.Random) -> dict[str, Any]:
    """Make an update of one kind, with a random choice of its optional fields."""
    payload = _value(TYPES["Update"][f"{kind}?"][0], seed, 0)
    if kind in ACTED:  # documented as optional, missing only where a channel speaks
        payload.setdefault(ACTED[kind], _value("User", seed, 0))
    return {"update_id": seed.randrange(10**9), kind: payload}


def bend(value: Any, seed: random.Random) -> Any:
    """Replace or drop something somewhere in a value."""
    if isinstance(value, dict) and value and seed.random() < 0.9:
        key = seed.choice(list(value))
        if seed.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: bend(value[key], seed)}
    if isinstance(value, list) and value and seed.random() < 0.9:
        at = seed.randrange(len(value))
        return [*value[:at], bend(value[at], seed), *value[at + 1 :]]
    return seed.choice(HOSTILE)


def _value(kind: str, seed: random.Random, depth: int) -> Any:
    if kind.startswith("Array of "):
        length = seed.randrange(3 if depth < 6 else 1)
        return [_value(kind[9:], seed, depth + 1) for _ in range(length)]
    described = TYPES.get(kind)
    if isinstance(described, list):
        shallow = "String" if "String" in described else described[-1]
        return _value(seed.choice(described) if depth < 6 else shallow, seed, depth + 1)
    if isinstance(described, dict):
        return {
            name.rstrip("?"): _value(seed.choice(kinds), seed, depth + 1)
            for name, kinds in described.items()
            if not name.endswith("?") or seed.random() < (0.3 if depth < 2 else 0.08)
        }
    if kind == "Integer":
        return seed.choice((1, 42, 123456789, -1001234567890, seed.randrange(10**9)))
    scalars = {"Float": 0.5, "Float number": 0.5, "Boolean": True, "True": True}
    return scalars.get(kind, seed.choice(WORDS))


def message(text="hi", chat=PRIVATE, **more):
    """Make a message of Anna's; None takes a field away."""
    plain = {"message_id": 7, "date": 1_795_000_000, "chat": chat, "from": ANNA, "text": text}
    return {k: v for k, v in (plain | more).items() if v is not None}


def got(text="hi", chat=PRIVATE, me=ME, **more):
    """Read a message of Anna's."""
    return read({"update_id": 5, "message": message(text, chat, **more)}, me)
