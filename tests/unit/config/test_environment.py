"""Variables named `PARLEY__SECTION__KEY` win over the file."""

import pytest

from bot.app import platforms
from bot.config import load

MODEL = '[models.main]\nkind = "openai"\nmodel = "m"\n'


def test_a_variable_wins_over_the_file(read):
    assert read('[bot]\nname = "File"', PARLEY__BOT__NAME="Variable").bot.name == "Variable"


def test_a_whole_configuration_fits_into_variables():
    config = load(
        None,
        platforms(),
        {
            "PARLEY__CONFIG_VERSION": "1",
            "PARLEY__DATA_DIR": "/data",
            "PARLEY__MODELS__MAIN__KIND": "openai",
            "PARLEY__MODELS__MAIN__MODEL": "m",
            "PARLEY__MODELS__MAIN__MAX_OUTPUT_TOKENS": "500",
            "PARLEY__MODELS__MAIN__TEMPERATURE": "0.5",
            "PARLEY__ADAPTERS__TELEGRAM__ENABLED": "true",
            "PARLEY__CHANNELS": '{"telegram::42" = {memory = {window = 3}}}',
        },
    )

    assert str(config.data_dir) == "/data"
    model = config.models["main"]
    assert (model.model, model.max_output_tokens, model.temperature) == ("m", 500, 0.5)
    assert config.adapters["telegram"].enabled
    assert config.channels == {"telegram::42": {"memory": {"window": 3}}}


def test_a_variable_leaves_its_neighbours_in_the_file_alone(read):
    config = read("[turns]\nattempts = 7\ntimeout_s = 9", PARLEY__TURNS__TIMEOUT_S="1.5")

    assert (config.turns.attempts, config.turns.timeout_s) == (7, 1.5)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("off", False), ("0", False)],
)
def test_truth_values(read, text, value):
    assert read("", PARLEY__ACCESS__ALLOW_BOTS=text).access.allow_bots is value


@pytest.mark.parametrize("text", ["5", " 5", "05"])
def test_whole_numbers(read, text):
    assert read("", PARLEY__TURNS__ATTEMPTS=text).turns.attempts == 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["telegram::42"]', ("telegram::42",)),
        ("['telegram::42', 'slack:T1:U7']", ("telegram::42", "slack:T1:U7")),
        ("[]", ()),
    ],
)
def test_lists_are_written_as_in_the_file(read, text, value):
    assert read("", PARLEY__BOT__ADMINS=text).bot.admins == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ada", "Ada"),
        ('"Ada"', "Ada"),
        ("'Ada'", "Ada"),
        ("5", "5"),
        ("4.10", "4.10"),
        ("true", "true"),
        ("2026-11-22", "2026-11-22"),
        ("0x10", "0x10"),
        ("", ""),
        ("a = b # c", "a = b # c"),
        ("[inst", "[inst"),
        ("1\n2", "1\n2"),
    ],
)
def test_text_stays_text_although_it_looks_like_something_else(read, text, value):
    assert read("", PARLEY__BOT__NAME=text).bot.name == value


def test_a_model_may_have_a_number_as_its_name(read):
    config = read(MODEL, PARLEY__MODELS__MAIN__MODEL="70")

    assert config.models["main"].model == "70"


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("PARLEY__BOT__NMAE", "x", "bot.nmae: unknown key; did you mean name?"),
        ("PARLEY__BTO__NAME", "x", "bto: unknown key; did you mean bot?"),
        ("PARLEY__TURNS__ATTEMPTS", "many", "turns.attempts: is 'many'; write a whole number"),
        ("PARLEY__TURNS__ATTEMPTS", "", "turns.attempts: is ''; write a whole number"),
        ("PARLEY__TURNS__ATTEMPTS", "1.5", "turns.attempts: is '1.5'; write a whole number"),
        ("PARLEY__BOT__ADMINS", "telegram::42",
         "bot.admins: is 'telegram::42'; write a list, like [\"first\", \"second\"]"),
        ("PARLEY__BOT", "x", "bot: should be a table; write [bot] above its keys"),
        ("PARLEY__CONFIG_VERSION", "2",
         "config_version: only 1 is known; update Parley or write 1"),
    ],
)  # fmt: skip
def test_variables_are_checked_like_the_file(problems, variable, text, line):
    assert problems("", **{variable: text}) == [line]


def test_a_variable_below_something_that_is_no_table_is_named(problems):
    lines = problems('[bot]\nname = "x"', PARLEY__BOT__NAME__FIRST="y")

    assert lines == ["PARLEY__BOT__NAME__FIRST: bot.name is not a table; check the name"]


def test_other_variables_are_nobodys_business(read):
    assert read("", PARLEY_BOT__NAME="x", BOT__NAME="y", SLACK_BOT_TOKEN="z") == read("")
