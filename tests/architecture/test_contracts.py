"""The import contracts notice what they are for: a copy is broken on purpose, in many ways."""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.architecture.source import PACKAGES, ROOT

INSIDE = "Inside bot, imports point towards the domain"
BESIDE = "Platforms stand side by side on the kit"
SIGHT = "Adapters see ports and domain, nothing else of the bot"
INNER = "The bot never imports an adapter"
PURE = "The domain is pure"

BREAKS = {  # file to spoil → (what is added, contract that must break, chain that it must show)
    "bot/core/inbox.py": ("import adapters.console.sender", INNER,
                          "bot.core.inbox -> adapters.console.sender"),
    "bot/core/draft.py": ("import bot.backends.sqlite.rows", INSIDE,
                          "bot.core.draft -> bot.backends.sqlite.rows"),
    "bot/domain/text.py": ("import asyncio", PURE, "bot.domain.text -> asyncio"),
    "bot/domain/replies.py": ("import bot.ports.clock", INSIDE,
                              "bot.domain.replies -> bot.ports.clock"),
    "adapters/kit/plain.py": ("import bot.core.sentences", SIGHT,
                              "adapters.kit.plain -> bot.core.sentences"),
    "adapters/console/inbound.py": ("def late():\n    import bot.core.inbox", SIGHT,
                                    "adapters.console.inbound -> bot.core.inbox"),
    "adapters/telegram/settings.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bot.config", SIGHT,
        "adapters.telegram.settings -> bot.config"),
    "adapters/slack/settings.py": ("import adapters.discord.settings", BESIDE,
                                   "adapters.slack.settings -> adapters.discord.settings"),
    "adapters/kit/split.py": ("import adapters.slack.settings", BESIDE,
                              "adapters.kit.split -> adapters.slack.settings"),
}  # fmt: skip


def contracts() -> list[dict]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["importlinter"]["contracts"]


@pytest.fixture(scope="module")
def verdict(tmp_path_factory) -> str:
    """Return what the linter says about a copy with all breaks in it."""
    copy = tmp_path_factory.mktemp("broken")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    for name, (line, _, _) in BREAKS.items():
        with (copy / name).open("a") as file:
            file.write(f"\n{line}\n")
    return linted(copy)


def linted(folder) -> str:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=False,
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_caught(verdict, name):
    _, contract, chain = BREAKS[name]

    assert f"{contract} BROKEN" in verdict
    assert chain in verdict.replace("  ", " ")


def test_the_contracts_hold_as_the_sources_stand():
    assert "0 broken" in linted(ROOT)


def test_no_folder_stands_outside_the_layers():
    layers = {
        name.strip()
        for contract in contracts()
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in layer.split("|")
    }
    there = {
        f"{package}.{path.stem}"
        for package in PACKAGES
        for path in (ROOT / package).iterdir()
        if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")
    }

    assert there - {f"{package}.__init__" for package in PACKAGES} == layers
