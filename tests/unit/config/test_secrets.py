"""Tokens: where they are found, and what is said when they are not."""

from pathlib import Path

import pytest

from bot.config import Secrets
from bot.domain.errors import ConfigError
from bot.ports.platform import Secret

TELEGRAM = Secret(
    key="adapters.telegram.token_env",
    variable="BOT_TOKEN",
    shape=r"\d+:[\w-]{30,}",
    hint="ask @BotFather",
)
TOKEN = "123456789:" + "A" * 35


def secret_file(folder, name, text=TOKEN + "\n"):
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_a_token_comes_from_its_variable_without_the_line_break():
    assert Secrets({"BOT_TOKEN": f" {TOKEN}\n"}).get("BOT_TOKEN") == TOKEN


@pytest.mark.parametrize("environment", [{}, {"BOT_TOKEN": ""}, {"BOT_TOKEN": "  "}])
def test_an_unset_token_is_none_or_one_sentence(environment):
    secrets = Secrets(environment)

    assert secrets.find("BOT_TOKEN") is None
    with pytest.raises(ConfigError, match=r"^BOT_TOKEN: is not set; put the token"):
        secrets.get("BOT_TOKEN")


def test_the_file_wins_over_credentials_and_these_over_the_variable(tmp_path):
    secret_file(tmp_path, "BOT_TOKEN", "from credentials")
    environment = {
        "BOT_TOKEN": "from variable",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "BOT_TOKEN_FILE": secret_file(tmp_path, "named", "from file"),
    }

    found = []
    for name in ("BOT_TOKEN_FILE", "CREDENTIALS_DIRECTORY", "BOT_TOKEN"):
        found.append(Secrets(environment).get("BOT_TOKEN"))
        del environment[name]

    assert found == ["from file", "from credentials", "from variable"]


def test_credentials_of_other_things_do_not_hide_the_variable(tmp_path):
    secret_file(tmp_path, "ANOTHER")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "BOT_TOKEN": TOKEN}

    assert Secrets(environment).get("BOT_TOKEN") == TOKEN


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "cannot be read (no such file or directory); check the path"),
        (b"", "is empty; put the token into it"),
        (b" \n", "is empty; put the token into it"),
        (b"\xff\xfe", "is not text; put the token into it"),
    ],
)
def test_a_named_file_that_holds_no_token_is_not_passed_over(tmp_path, content, what):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    secrets = Secrets({"BOT_TOKEN_FILE": str(path), "BOT_TOKEN": TOKEN})

    with pytest.raises(ConfigError) as caught:
        secrets.get("BOT_TOKEN")
    assert str(caught.value) == f"BOT_TOKEN_FILE: {path} {what}"
    assert secrets.problems([TELEGRAM]) == [f"{TELEGRAM.key}: {caught.value}"]


def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="is a directory"):
        Secrets({"BOT_TOKEN_FILE": str(tmp_path)}).find("BOT_TOKEN")


def test_nothing_is_wrong_with_a_plausible_token():
    assert Secrets({"BOT_TOKEN": TOKEN}).problems([TELEGRAM]) == []


@pytest.mark.parametrize(
    "value",
    ["undefined", "null", "None", "changeme", "TOKEN", "xxx", "xoxb-your-token", "sk-xxxx",
     "your_token_here", "YOUR TOKEN", "<token>", "...", "…"],
)  # fmt: skip
def test_a_placeholder_is_told_from_a_token(value):
    anything = Secret(key="k", variable="BOT_TOKEN", hint="ask @BotFather")

    assert Secrets({"BOT_TOKEN": value}).problems([anything]) == [
        "k: BOT_TOKEN holds a placeholder; ask @BotFather"
    ]


@pytest.mark.parametrize("value", ["secretary", "xylophone", "token-1f3a", "8f3ayour-1"])
def test_what_only_begins_like_a_placeholder_is_taken(value):
    assert Secrets({"BOT_TOKEN": value}).problems([Secret(key="k", variable="BOT_TOKEN")]) == []


@pytest.mark.parametrize("value", [TOKEN[:20], f"bot{TOKEN}", f"{TOKEN} # mine"])
def test_a_token_of_the_wrong_shape_is_refused_without_showing_it(value):
    (line,) = Secrets({"BOT_TOKEN": value}).problems([TELEGRAM])

    assert line == f"{TELEGRAM.key}: BOT_TOKEN does not look like such a token; ask @BotFather"


def test_every_missing_token_is_reported_with_where_it_is_found():
    plain = Secret(key="k", variable="OTHER")

    assert Secrets({}).problems([TELEGRAM, plain]) == [
        f"{TELEGRAM.key}: the variable BOT_TOKEN is not set; ask @BotFather",
        "k: the variable OTHER is not set; put the token into this variable",
    ]


def test_a_token_that_everybody_can_read_is_refused(tmp_path):
    path = Path(secret_file(tmp_path, "token"))
    path.chmod(0o644)

    with pytest.raises(ConfigError, match=r"everybody on this machine can read \S+; chmod 600 it"):
        Secrets({"BOT_TOKEN_FILE": str(path)}).find("BOT_TOKEN")
