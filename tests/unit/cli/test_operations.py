"""Verbs of operation need neither the whole configuration nor an engine to say what they do."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bot.app import place_of, platforms
from bot.cli import VERBS, main
from bot.cli.place import place_in
from bot.cli.printing import duration, printable
from bot.config import load
from bot.domain.errors import ConfigError

HEAVY = (
    "bot.app",
    "bot.config",
    "bot.core",
    "bot.backends.sqlite",
    "pydantic",
    "aiosqlite",
    "rich",
)
NAMES = [*((verb,) for verb in VERBS), *(("queue", v) for v in ("list", "show", "retry", "drop"))]

FILES = {
    "nothing": "",
    "a folder": 'data_dir = "elsewhere"',
    "a home": 'data_dir = "~/parley"',
    "a database": 'data_dir = "d"\n[database]\nurl = "sqlite:///other/p.db"',
    "something else": "[turns]\nattempts = 3",
}
VARIABLES = {
    "nothing": {},
    "a folder": {"PARLEY__DATA_DIR": "/var/lib/parley"},
    "a quoted folder": {"PARLEY__DATA_DIR": '"/var/lib/parley"'},
    "a number": {"PARLEY__DATA_DIR": "42"},
    "a database": {"PARLEY__DATABASE__URL": "sqlite:////srv/p.db"},
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("variables", VARIABLES)
def test_the_place_is_where_the_bot_puts_it(tmp_path, file, variables):
    path = tmp_path / "config.toml"
    path.write_text(FILES[file])
    config = load(path, platforms(), VARIABLES[variables])

    assert place_in(path, VARIABLES[variables]) == place_of(config)
    assert place_in(None, VARIABLES[variables]) == place_of(
        load(None, platforms(), VARIABLES[variables])
    )


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        place_in(tmp_path / "nothing.toml", {})
    (tmp_path / "bad.toml").write_text("[chat\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        place_in(tmp_path / "bad.toml", {})


@pytest.mark.parametrize("arguments", NAMES, ids=" ".join)
def test_every_verb_explains_itself(arguments):
    said = CliRunner().invoke(main, [*arguments, "--help"])

    assert said.exit_code == 0
    assert said.output.startswith(f"Usage: main {' '.join(arguments)}")


def test_no_verb_needs_an_engine_to_explain_itself():
    modules = [f"bot.cli.{verb}" for verb in VERBS]
    program = f"import sys, {', '.join(modules)}\nprint([n for n in {HEAVY} if n in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def invoke(folder, *arguments):
    (folder / "config.toml").write_text(f'data_dir = "{folder}/data"')
    return CliRunner().invoke(main, [*arguments, "--config", str(folder / "config.toml")])


def test_without_a_bot_and_without_a_database_everything_is_a_sentence(tmp_path):
    for arguments in (
        ("queue", "list"), ("audit",), ("backup", "b.db"), ("queue", "drop", "7"), ("migrate",),
        ("knowledge", "list"), ("knowledge", "search", "x"), ("knowledge", "sync"),
        ("knowledge", "remove", "7"),
    ):  # fmt: skip
        said = invoke(tmp_path, *arguments)
        assert (said.exit_code, said.stdout) == (1, "")
        assert f"there is no database {tmp_path}/data/parley.db" in said.stderr
    assert invoke(tmp_path, "health").exit_code == 1
    assert json.loads(invoke(tmp_path, "status", "--json").stdout)["running"] is False
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("verb", [("export",), ("forget", "--yes")])
def test_what_was_said_in_a_terminal_is_not_denied(tmp_path, verb):
    said = invoke(tmp_path, *verb, "console::me")
    assert (said.exit_code, said.stdout) == (2, "")
    assert "type /export or /forget_me there" in said.stderr


def test_migrate_tells_from_where_to_where(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "parley.db").touch()
    first = json.loads(invoke(tmp_path, "migrate", "--json").stdout)
    assert (first["before"], first["copy"]) == (0, None)
    assert "is up to date" in invoke(tmp_path, "migrate").stdout


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90000, "1 d 1 h")],
)
def test_a_time_span_is_short(seconds, text):
    assert duration(seconds) == text


def test_what_people_wrote_cannot_steer_a_terminal():
    assert printable("a\x1b[31mb\nc\u202e") == "a\\x1b[31mb\nc\\u202e"
