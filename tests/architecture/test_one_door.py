"""Whatever happens on a platform enters the core by one door, `Inbox.accept`, as a known event.

Behind that door everybody's right is asked for. A button, an edit, a reaction or a new kind of
payload that came in beside it would not be: so all that an adapter can make of a payload is listed
here, and a new way in has to be listed, too.
"""

import ast
import inspect
import typing
from collections.abc import Iterator

import pytest

from adapters.discord import inbound as discord
from adapters.slack import inbound as slack
from adapters.telegram import inbound as telegram
from bot.domain.events import KINDS, Event
from bot.ports import platform
from tests.architecture.source import ROOT, SOURCES, Function, Source, expect_none

WAYS_IN = {
    "slack": {
        "message": {"MessageReceived", "MessageEdited", "MessageDeleted"},
        "app_mention": {"MessageReceived", "MessageEdited", "MessageDeleted"},
        "reaction_added": {"Rated"},
        "reaction_removed": {"Rated"},
        "member_joined_channel": {"Joined"},
        "member_left_channel": {"Left"},
        "channel_deleted": {"Left"},
        "channel_left": {"Left"},
        "group_deleted": {"Left"},
        "group_left": {"Left"},
        "app_uninstalled": {"Left"},
        "tokens_revoked": {"Left"},
        "agent_session_stopped": {"StopAsked"},
        "convert": {"CommandGiven", "Pressed"},  # what is no event of the Events API
    },
    "discord": {
        "MESSAGE_CREATE": {"MessageReceived"},
        "MESSAGE_UPDATE": {"MessageEdited"},
        "MESSAGE_DELETE": {"MessageDeleted"},
        "MESSAGE_DELETE_BULK": {"MessageDeleted"},
        "MESSAGE_REACTION_ADD": {"Rated"},
        "MESSAGE_REACTION_REMOVE": {"Rated"},
        "INTERACTION_CREATE": {"CommandGiven", "Pressed"},
        "GUILD_CREATE": {"Joined"},
        "GUILD_DELETE": {"Left"},
        "CHANNEL_DELETE": {"Left"},
        "THREAD_DELETE": {"Left"},
        "event_from": set(),
    },
    "telegram": {
        "message": {"MessageReceived", "CommandGiven", "Moved"},
        "edited_message": {"MessageEdited"},
        "callback_query": {"Pressed"},
        "message_reaction": {"Rated"},
        "my_chat_member": {"Joined", "Left"},
        "stopped_message_generation": {"StopAsked"},
        "read": set(),
    },
    "console": {"event_from": {"MessageReceived", "CommandGiven", "Pressed"}},
}
TABLES = {
    "slack": slack._EVENTS,
    "discord": discord.READERS,
    "telegram": telegram.READERS,
    "console": {},
}
DOORS = {"slack": "convert", "discord": "event_from", "telegram": "read", "console": "event_from"}
INNER = ("bot.domain", "bot.ports.platform")  # all of the core's that an adapter can name
GIVEN = {"Inbox": {"accept"}, "Marks": {"read", "put"}, "Pulse": {"up", "down"}}
OUR_OWN = "Announced"  # only the bot itself says it, never a platform

ADAPTERS = [source for source in SOURCES if source.name.startswith("adapters/")]


def made_by(source: Source, name: str) -> set[str]:
    """Return the kinds of events that a function, or one that it calls, makes."""
    functions = {node.name: node for node in source.tree.body if isinstance(node, Function)}
    waiting, seen = [name], set()
    kinds: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        called = {call for call, _ in calls(functions[name])}
        kinds |= called & KINDS.keys()
        waiting += called
    return kinds


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the name of what is called by its plain name, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


def beside_the_door(source: Source) -> list[str]:
    """Return what is asked of an inbox besides to accept an event."""
    return [
        f"{source.name}:{node.lineno} .{node.attr}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and named(node.value) == "inbox"
        and node.attr != "accept"
    ]


def named(node: ast.expr) -> str:
    """Return the last name of an expression as `inbox` or `self.inbox`."""
    return str(getattr(node, "attr", "") or getattr(node, "id", ""))


def foreign(source: Source) -> list[str]:
    """Return imports of the core by which something else than the door could be reached."""
    return [
        f"{source.name}:{line} imports {name}"
        for line, name in source.imported()
        if name.partition(".")[0] == "bot" and not name.startswith(INNER)
    ]


def made_elsewhere(source: Source) -> list[str]:
    """Return events that are made beside the reader, where no test of readers would see them."""
    return [f"{source.name}:{line} {name}" for name, line in calls(source.tree) if name in KINDS]


@pytest.mark.parametrize("name", TABLES)
def test_every_way_in_is_listed_with_all_that_it_can_become(name):
    path = f"adapters/{name}/inbound.py"
    (source,) = (source for source in SOURCES if source.name == path)
    found = {kind: made_by(source, reader.__name__) for kind, reader in TABLES[name].items()}
    found[DOORS[name]] = made_by(source, DOORS[name])

    assert found == WAYS_IN[name]


@pytest.mark.parametrize("name", TABLES)
def test_all_that_comes_in_is_a_kind_that_the_core_knows_and_nothing_that_it_says_itself(name):
    made = set().union(*WAYS_IN[name].values())
    assert made <= KINDS.keys() - {OUR_OWN}
    for reader in TABLES[name].values():
        returned = set(typing.get_args(typing.get_type_hints(reader)["return"]))
        assert returned <= {*typing.get_args(Event), Event, type(None)}


def test_every_platform_is_listed():
    houses = {path.parent.name for path in (ROOT / "adapters").glob("*/inbound.py")}
    assert houses == TABLES.keys() == WAYS_IN.keys()


def test_events_are_made_by_readers_alone():
    expect_none(
        line
        for source in ADAPTERS
        if not source.name.endswith("/inbound.py")
        for line in made_elsewhere(source)
    )


def test_no_adapter_says_what_only_the_bot_says():
    expect_none(source.name for source in ADAPTERS if OUR_OWN in source.text)


def test_an_inbox_is_asked_for_nothing_but_to_accept():
    expect_none(line for source in ADAPTERS for line in beside_the_door(source))


def test_an_adapter_can_name_nothing_of_the_core_but_its_values_and_its_ports():
    expect_none(line for source in ADAPTERS for line in foreign(source))


def test_what_an_adapter_is_given_can_do_nothing_else():
    listening = inspect.signature(platform.Receiver.listen).parameters
    assert list(listening) == ["self", "inbox"]
    for name, methods in GIVEN.items():
        port = getattr(platform, name)
        assert {each for each in vars(port) if not each.startswith("_")} == methods
    handed = {str(kind) for kind in typing.get_type_hints(platform.Surroundings).values()}
    plain = {"<class 'str'>", "<class 'bool'>", "typing.Literal['native', 'edit', 'off']",
             "collections.abc.Callable[[str], str]"}  # fmt: skip
    assert handed == plain | {str(platform.Marks), str(platform.Pulse)}


MADE_UP = """
def _late(data):
    return helper(data)

def helper(data):
    return Pressed(id=data["id"])

def _none(data):
    return None
"""


def test_what_a_reader_makes_is_found_however_deep():
    source = Source("adapters/made/inbound.py", MADE_UP)
    assert made_by(source, "_late") == {"Pressed"}
    assert made_by(source, "_none") == set()


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (beside_the_door, "async def f(self):\n    await self.inbox.store.put(1)"),
        (beside_the_door, "inbox.dispatch(event)"),
        (foreign, "from bot.core.dispatcher import Dispatcher"),
        (foreign, "from bot.ports.store import Ledger"),
        (foreign, "def f():\n    import bot.app"),
        (made_elsewhere, "event = CommandGiven(id='1')"),
    ],
)
def test_a_way_beside_the_door_is_found(found, text):
    assert found(Source("adapters/made/receiver.py", text))
