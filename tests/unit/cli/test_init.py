"""`parley init`, as an operator meets it: questions, a file, and what to do next."""

import os
import stat

import pytest
from click.testing import CliRunner

from bot.app import platforms
from bot.backends.openai.settings import OpenAISettings
from bot.cli import main
from bot.config import DocumentsSettings, load
from bot.core.policies import Policies
from bot.domain.conversation import Conversation
from bot.domain.policy import Policy


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parley(*arguments, answers=()):
    return CliRunner().invoke(main, arguments, input="".join(f"{line}\n" for line in answers))


def written(folder, name="config.toml"):
    return load(folder / name, platforms(), {})


def enabled(config):
    return [name for name, settings in config.adapters.items() if settings.enabled]


def test_the_defaults_give_a_file_that_loads(folder):
    done = parley("init", "--yes")

    config = written(folder)
    assert done.exit_code == 0
    assert enabled(config) == ["telegram"]
    assert isinstance(config.models["main"], OpenAISettings)
    assert (config.access.dm_policy, config.access.group_policy) == ("pairing", "allowlist")
    assert config.access.require_mention


def test_it_says_which_variables_to_set_and_what_comes_next():
    done = parley("init", "--yes")

    assert "OPENAI_API_KEY  " in done.output
    assert "TELEGRAM_BOT_TOKEN  @BotFather" in done.output
    assert "SLACK" not in done.output
    assert "`parley manifest telegram`" in done.output
    *_, add, start, admins = done.output.splitlines()
    assert add == "`parley knowledge add PATH` gives it documents to answer from."
    assert start.startswith("Then `parley check` ")
    assert "put your name under `admins`" in admins


def test_after_the_variables_are_set_check_has_nothing_to_say(monkeypatch):
    parley("init", "--yes")
    assert parley("check").exit_code == 2

    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456789:" + "A" * 35)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert parley("check").output == "config.toml is fine.\n"


def test_nobody_else_can_read_the_file(folder):
    mask = os.umask(0)
    try:
        parley("init", "--yes")
    finally:
        os.umask(mask)

    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600


def test_a_file_that_is_there_stays(folder):
    (folder / "config.toml").write_text("# mine\n")

    done = parley("init", "--yes")

    assert done.exit_code == 2
    assert "config.toml: is there already; --force overwrites it" in done.output
    assert (folder / "config.toml").read_text() == "# mine\n"


def test_force_overwrites_and_closes_the_file_to_others(folder):
    (folder / "config.toml").write_text("# mine\n")
    (folder / "config.toml").chmod(0o644)

    assert parley("init", "--yes", "--force").exit_code == 0
    assert "# mine" not in (folder / "config.toml").read_text()
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600


def test_another_file_is_named_in_what_comes_next(folder):
    done = parley("init", "--yes", "--config", "other.toml")

    assert enabled(written(folder, "other.toml")) == ["telegram"]
    assert "`parley check --config other.toml`" in done.output


def test_a_folder_that_is_missing_is_one_sentence():
    done = parley("init", "--yes", "--config", "missing/config.toml")

    assert done.exit_code == 2
    assert done.output == (
        "parley: missing/config.toml: cannot be written: No such file or directory\n"
    )


def test_each_answer_arrives(folder):
    answers = ["slack, discord", "customers", "compatible", "http://localhost:8000/v1", 'my "own"']

    assert parley("init", answers=answers).exit_code == 0

    config = written(folder)
    assert enabled(config) == ["slack", "discord"]
    assert config.models["main"] == OpenAISettings(
        base_url="http://localhost:8000/v1", model='my "own"'
    )
    assert (config.access.dm_policy, config.access.group_policy) == ("open", "allowlist")


def test_an_answer_that_cannot_be_right_is_asked_for_again(folder):
    answers = ["slak", "Telegram", "everyone", "community", "gpt", "compatible",
               "http://10.0.0.7/v1", "https://models.example/v1", " ", "m"]  # fmt: skip

    done = parley("init", answers=answers)

    assert done.output.count("Error: ") == 5
    assert "'slak' is not known; write " in done.output
    assert "in clear to 10.0.0.7" in done.output
    assert written(folder).models["main"].base_url == "https://models.example/v1"


def test_without_a_model_it_quotes_documents_and_needs_no_key(folder):
    (folder / "handbook").mkdir()

    done = parley("init", answers=["telegram", "team", "none", "nowhere", "handbook"])

    assert "nowhere: there is no such file or folder" in done.output
    assert written(folder).models["main"] == DocumentsSettings(documents="handbook")
    assert "OPENAI_API_KEY" not in done.output


def test_without_documents_it_quotes_the_demo(folder):
    parley("init", answers=["telegram", "team", "none", ""])

    assert written(folder).models["main"] == DocumentsSettings()


@pytest.mark.parametrize(
    ("audience", "place", "private", "group"),
    [
        ("team", "telegram", "pairing", "allowlist"),
        ("team", "slack", "open", "open"),
        ("community", "slack", "disabled", "open"),
        ("customers", "slack", "open", "allowlist"),
    ],
)
def test_who_writes_decides_who_may_talk(folder, audience, place, private, group):
    parley("init", answers=["slack,telegram", audience, "openai", "m"])

    config = written(folder)
    default = Policy(model="main", memory=config.memory, access=config.access)
    policies = Policies(default=default, channels=config.channels, settings=None, places=None)
    access = policies.resolve(Conversation(platform=place, channel="C1")).access
    assert (access.dm_policy, access.group_policy) == (private, group)


@pytest.mark.parametrize("audience", ["team", "community", "customers"])
def test_strangers_are_moderated_and_bounded(folder, audience):
    parley("init", answers=["telegram", audience, "openai", "m"])

    config = written(folder)
    strangers = audience != "team"
    assert config.moderation.guards == (("local",) if strangers else ())
    assert bool(config.budgets.per_person.messages) is strangers


@pytest.mark.parametrize("audience", ["team", "community", "customers"])
@pytest.mark.parametrize("platform", ["slack", "discord", "telegram"])
def test_what_is_commented_out_loads_as_well(folder, audience, platform):
    parley("init", answers=[platform, audience, "openai", ""])
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("\n#a", "\na"))

    assert written(folder).bot.admins == ("telegram::42",)


def test_leaving_in_the_middle_writes_nothing(folder):
    done = parley("init", answers=["telegram"])

    assert done.exit_code == 1
    assert list(folder.iterdir()) == []


def test_customers_get_a_place_to_name_where_the_staff_answers(folder):
    parley("init", answers=["telegram", "customers", "none", ""])

    text = (folder / "config.toml").read_text()
    assert "\n[handover] " in text
    assert "documents =" not in text  # the demo needs no name
    assert written(folder).models["main"] == DocumentsSettings()
