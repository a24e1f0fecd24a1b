"""The file: what it may say, and what is said about it when it is wrong."""

from pathlib import Path

import pytest

from bot.app import platforms
from bot.backends.openai.settings import OpenAISettings
from bot.config import Config, DocumentsSettings, load
from bot.config.sections import PersonaSettings
from bot.domain.errors import ConfigError


def test_without_a_file_and_variables_the_defaults_hold():
    assert load(None, platforms(), {}) == Config()


def test_an_empty_file_says_nothing(read):
    assert read("") == Config()


def test_what_a_file_says_arrives(read):
    config = read(
        'config_version = 1\ndata_dir = "/var/lib/parley"\n'
        '[bot]\nname = "Ada"\nadmins = ["telegram::42", "slack:T1:U7"]\n'
        '[models.main]\nkind = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:8080/v1"\n'
        'temperature = 1\n[models.handbook]\nkind = "documents"\ndocuments = "handbook"\n'
        '[chat]\nmodel = "main"\nfallbacks = ["handbook"]\nstreaming = "off"\n'
        '[personas.pirate]\nsystem_prompt = "Arr."\n'
        "[adapters.telegram]\nenabled = true\n"
    )

    assert config.data_dir == Path("/var/lib/parley")
    assert (config.bot.name, config.bot.admins) == ("Ada", ("telegram::42", "slack:T1:U7"))
    assert config.models["main"] == OpenAISettings(
        model="m", base_url="http://127.0.0.1:8080/v1", temperature=1.0
    )
    assert config.models["handbook"] == DocumentsSettings(documents="handbook")
    assert (config.chat.fallbacks, config.chat.streaming) == (("handbook",), "off")
    assert config.personas == {"pirate": PersonaSettings(system_prompt="Arr.")}
    assert config.adapters["telegram"].enabled
    assert list(config.adapters) == ["telegram"]


def test_a_data_folder_may_begin_with_the_home_folder(read):
    assert read('data_dir = "~/parley"').data_dir == Path("~/parley").expanduser()


def test_a_file_from_an_editor_that_marks_its_encoding_is_read(file):
    path = file('[bot]\nname = "Zoë"\n', encoding="utf-8-sig")

    assert load(path, platforms(), {}).bot.name == "Zoë"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.toml: there is no such file; `parley init`"):
        load(tmp_path / "nothing.toml", platforms(), {})


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, platforms(), {})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[bot\nname = 1", "line 1"),
        ('[bot]\nname = "a"\nname = "b"\n[chat]', "line 3"),
        ("[bot]\nname = Ada", "line 2"),
    ],
)
def test_broken_toml_is_shown_with_its_line(problems, text, where):
    (line,) = problems(text)

    assert "config.toml: is not valid TOML: " in line
    assert where in line


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(path, platforms(), {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[bot]\nnmae = 'x'", "bot.nmae: unknown key; did you mean name?"),
        ("[adapter.slack]\n", "adapter: unknown key; did you mean adapters?"),
        ("[adapters.slak]\n", "adapters.slak: unknown key; did you mean slack?"),
        ("[adapters.slack]\ntoken_evn = 'X'", "adapters.slack.token_evn: unknown key; "),
        ("[models.m]\nkind = 'openai'\nmodel = 'm'\ntemprature = 1",
         "models.m.temprature: unknown key; did you mean temperature?"),
        ("[models.m]\nkind = 'documents'\nmodel = 'm'",
         "models.m.model: unknown key; known are documents"),
        ("[personas.p]\nsystem_prompt = 'x'\nprompt = 'y'",
         "personas.p.prompt: unknown key; did you mean system_prompt?"),
        ("[channels.slack]\nmodle = 'x'", "channels.slack.modle: unknown key; did you mean model?"),
        ("[channels.'slack:T1'.access]\nalow = []",
         'channels."slack:T1".access.alow: unknown key; did you mean allow?'),
        ('"a key" = 1', '"a key": unknown key; known are config_version, data_dir, '),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_a_suggestion(problems, text, line):
    (found,) = problems(text)

    assert found.startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[bot]\nname = 5", "bot.name: is 5; write text in quotes"),
        ("[turns]\nattempts = 'many'", "turns.attempts: is 'many'; write a whole number"),
        ("[turns]\nattempts = 1.5", "turns.attempts: is 1.5; write a whole number"),
        ("[turns]\ntimeout_s = []", "turns.timeout_s: is []; write a number"),
        ("[access]\nrequire_mention = 'maybe'",
         "access.require_mention: is 'maybe'; write true or false"),
        ("[access]\nallow = 'slack'",
         'access.allow: is \'slack\'; write a list, like ["first", "second"]'),
        ("[access]\nallow = [5]", "access.allow.0: is 5; write text in quotes"),
        ("[chat]\nstreaming = 'fast'",
         "chat.streaming: is 'fast'; write 'native', 'edit' or 'off'"),
        ("[models.m]\nkind = 'openai'\nmodel = 'm'\nmax_output_tokens = 'x'",
         "models.m.max_output_tokens: is 'x'; write a whole number"),
        ("[models.m]\nkind = 'openai'", "models.m.model: is missing; write it"),
        ("[models.m]\nmodel = 'm'", "models.m.kind: is None; write one of openai, documents"),
        ("[models.m]\nkind = ['openai']",
         "models.m.kind: is ['openai']; write one of openai, documents"),
        ("[models.'gpt 6']\nkind = 'openai'", 'models."gpt 6".model: is missing; write it'),
        ("[personas.p]\n", "personas.p.system_prompt: is missing; write it"),
        ("data_dir = true", "data_dir: is True; write text in quotes"),
        ("bot = 'Ada'", "bot: should be a table; write [bot] above its keys"),
        ("models = 'gpt'", "models: should be a table of tables; write [models.NAME]"),
        ("[adapters]\nslack = true",
         "adapters.slack: should be a table; write [adapters.slack] above its keys"),
        ("[channels]\nslack = 'off'",
         "channels.slack: should be a table; write [channels.slack] above its keys"),
        ("[channels.slack]\nmodel = ['a']",
         "channels.slack.model: is ['a']; write text in quotes"),
        ("[channels.slack]\nmemory = 5",
         "channels.slack.memory: should be a table; write [channels.slack.memory] above its keys"),
        ("config_version = 2", "config_version: only 1 is known; update Parley or write 1"),
    ],
)  # fmt: skip
def test_a_wrong_type_says_what_to_write(problems, text, line):
    assert problems(text) == [line]


def test_all_problems_are_reported_together(problems):
    lines = problems(
        "[bot]\nnmae = 'x'\n[turns]\nattempts = 'many'\ntimeout_s = 'long'\n"
        "[chat]\nmodel = 'absent'\n[adapters.telegram]\ntoken_env = 'xoxb-1-2-3'\n"
        "[channels.slak]\n",
        PARLEY__DATA_DIR__DEEPER="x",
        PARLEY__BOT__NAME__DEEPER="x",
    )

    assert [line.split(": ")[0] for line in lines] == [
        "adapters.telegram.token_env",
        "bot.nmae",
        "bot.name",
        "turns.timeout_s",
        "turns.attempts",
        "data_dir",
        "chat.model",
        "channels.slak",
    ]
    assert all(": " in line and "\n" not in line for line in lines)
