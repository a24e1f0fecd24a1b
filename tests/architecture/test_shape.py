"""The same rooms in each house, narrow ports, and few places that catch everything."""

import ast
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import PLATFORMS, ROOT, SOURCES, Function, Source, expect_none

ROOMS = ("descriptor.py", "sender.py", "receiver.py", "inbound.py", "settings.py", "commands.py",
         "markup.py", "files.py", "README.md")  # fmt: skip
METHODS = 5
VENDORS = (*PLATFORMS, "openai", "sqlite", "postgres", "tiktoken", "aiohttp")
CATCHES_ALL = {
    "bot/core/dispatcher.py": 3,  # where a turn's failure ends, its apology's, and its lane's
    "bot/backends/sqlite/writer.py": 1,  # the writer outlives every piece of work
    "bot/core/memory/summarising.py": 1,  # one memory must not stop the others
    "bot/core/memory/meaning.py": 1,  # nor may its vectors
    "bot/core/retention.py": 1,  # what is to be deleted must be, at last
    "bot/app/beside.py": 1,  # what runs beside the answers begins anew
    "bot/app/platforms.py": 2,  # a platform, or its menu, must not end the others
    "bot/cli/__init__.py": 1,  # an unexpected error becomes one sentence
    **{f"adapters/{name}/receiver.py": 1 for name in PLATFORMS},  # only a token ends a platform
    "adapters/discord/gateway.py": 1,  # the same for Discord, per connection
    "adapters/discord/lanes.py": 1,  # and per channel
}


def crowded(source: Source) -> list[str]:
    """Return protocols with none or too many methods."""
    return [
        f"{source.name} {node.name}"
        for node in source.tree.body
        if isinstance(node, ast.ClassDef)
        and "Protocol" in {getattr(base, "id", "") for base in node.bases}
        and not 1 <= sum(isinstance(item, Function) for item in node.body) <= METHODS
    ]


def vendors_named(source: Source) -> list[str]:
    """Return identifiers that name a vendor; prose may give examples."""
    words = (
        getattr(node, attribute, None) or ""
        for node in ast.walk(source.tree)
        for attribute in ("name", "id", "attr", "arg", "module")
    )
    return sorted(
        {word for word in words if any(vendor in str(word).lower() for vendor in VENDORS)}
    )


def catch_alls(source: Source) -> list[str]:
    """Return handlers that catch everything and do not raise it again."""
    return [
        f"{source.name}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _blind(node.type) and not _raises_again(node)
    ]


def _blind(caught: ast.expr | None) -> bool:
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)} if caught else ()
    return caught is None or bool({"Exception", "BaseException"} & set(names))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


PORTS = [source for source in SOURCES if source.name.startswith("bot/ports/")]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_the_same_rooms(platform):
    house = ROOT / "adapters" / platform

    expect_none(room for room in ROOMS if not (house / room).is_file())


def test_ports_are_narrow():
    expect_none(line for source in PORTS for line in crowded(source))


def test_ports_name_no_vendor():
    expect_none(f"{source.name}: {word}" for source in PORTS for word in vendors_named(source))


def test_only_named_places_catch_everything():
    found = {source.name: catch_alls(source) for source in SOURCES}

    expect_none(
        line
        for name, lines in found.items()
        if len(lines) > CATCHES_ALL.get(name, 0)
        for line in lines
    )


def test_no_drawer_collects_what_has_no_place():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
    parts = {
        (s.name, part) for s in SOURCES for part in PurePosixPath(s.name).with_suffix("").parts
    }

    expect_none(name for name, part in parts if part in drawers)


def test_a_wide_port_is_found():
    methods = "\n".join(f"    def method_{n}(self): ..." for n in range(METHODS + 1))

    assert crowded(Source("made.py", f"class Wide(Protocol):\n{methods}")) == ["made.py Wide"]


@pytest.mark.parametrize(
    "text", ["import slack_sdk", "def to_discord(): ...", "x: TelegramChat", "def f(sqlite): ..."]
)
def test_a_vendor_in_a_port_is_found(text):
    assert vendors_named(Source("made.py", text)) != []


@pytest.mark.parametrize(
    ("caught", "found"),
    [
        ("except Exception:\n    pass", True),
        ("except (ValueError, BaseException) as error:\n    print(error)", True),
        ("except:\n    pass", True),
        ("except Exception:\n    close()\n    raise", False),
        ("except ValueError:\n    pass", False),
    ],
)
def test_what_catches_everything_is_found(caught, found):
    assert bool(catch_alls(Source("made.py", f"try:\n    work()\n{caught}"))) is found
