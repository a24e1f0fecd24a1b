"""`config.example.toml` and the settings in the code tell the same, in both directions."""

import re
import tomllib
from dataclasses import MISSING, fields, replace

import pytest

from bot.app import platforms
from bot.backends.openai.settings import OpenAISettings
from bot.config import Config, DocumentsSettings, load
from bot.config.sections import (
    CHANNEL_KEYS,
    SECTIONS,
    KnowledgeSettings,
    ModerationSettings,
    PersonaSettings,
)
from bot.domain.budgets import SCOPES, Allowance
from bot.domain.chains import BestOfSettings, RouterSettings, RouteSettings, StepSettings
from bot.domain.knowledge import CollectionSettings
from bot.domain.policy import KnowledgePolicy, ModerationPolicy
from tests.architecture.source import ROOT, expect_none

TEXT = (ROOT / "config.example.toml").read_text(encoding="utf-8")
COMMENTED = re.compile(r"^#(?=[a-z_]+ = |\[)", re.MULTILINE)  # an example begins without a space
LIVE = tomllib.loads(TEXT)
WHOLE = tomllib.loads(COMMENTED.sub("", TEXT))
TABLES = {
    **{(name,): kind for name, kind in SECTIONS.items()},
    **{("adapters", name): known.settings for name, known in platforms().items()},
    ("models", "main"): OpenAISettings,
    ("models", "handbook"): DocumentsSettings,
    ("personas", "pirate"): PersonaSettings,
    ("collections", "staff"): CollectionSettings,
    ("chains", "support", "steps"): StepSettings,
    ("chains", "front", "router"): RouterSettings,
    ("chains", "front", "router", "routes"): RouteSettings,
    ("chains", "careful", "best_of"): BestOfSettings,
    **{("budgets", scope): Allowance for scope in SCOPES},
}
EXAMPLES = ("chains",)  # whole tables that are examples, whatever their defaults
SHARED = {  # two readers of one table
    ("moderation",): (ModerationPolicy, ModerationSettings),
    ("knowledge",): (KnowledgePolicy, KnowledgeSettings),
}
TABLES |= SHARED


def table(document, path) -> dict:
    for name in path:
        document = document.get(name, {})
        if isinstance(document, list):  # its first table shows every setting
            document = document[0]
    return document


def settings_of(path):
    kinds = TABLES[path]
    return [
        field
        for kind in (kinds if isinstance(kinds, tuple) else (kinds,))
        for field in fields(kind)
    ]


def plain(value):
    return list(value) if isinstance(value, tuple) else value


def read(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, platforms(), {})


@pytest.mark.parametrize("path", TABLES, ids=".".join)
def test_every_setting_is_shown_and_no_other(path):
    told = set(table(WHOLE, path)) - {"kind"} | ({"kind"} if path == ("memory",) else set())

    assert told == {field.name for field in settings_of(path)}


@pytest.mark.parametrize("path", [p for p in TABLES if p[0] not in EXAMPLES], ids=".".join)
def test_what_has_a_default_stands_with_it_and_what_has_none_is_an_example(path):
    live = table(LIVE, path)
    for field in settings_of(path):
        if field.default in ("", None, ()):
            assert field.name not in live, f"{field.name} is empty by default: comment it out"
        elif field.default is not MISSING:
            assert live[field.name] == plain(field.default), field.name


def test_every_table_is_shown_and_no_other():
    assert set(WHOLE) == {
        "config_version",
        *(f.name for f in fields(Config) if f.name not in ("moderating", "library")),
    }
    (channel,) = WHOLE["channels"].values()
    assert set(channel) == set(CHANNEL_KEYS)


def test_as_it_stands_it_changes_nothing_but_the_model(tmp_path):
    config = read(tmp_path, TEXT)

    assert replace(config, models={}, adapters={}) == Config()
    assert config.adapters == {name: known.settings() for name, known in platforms().items()}
    model = config.models["main"]
    assert model == OpenAISettings(model=model.model)


def test_with_all_examples_switched_on_and_a_price_it_is_still_right(tmp_path):
    priced = COMMENTED.sub("", TEXT).replace("price_input = 0.0", "price_input = 1.0")
    priced = priced.replace("enabled = false", "enabled = true", 1)  # Slack, where the staff is
    config = read(tmp_path, priced)

    assert list(config.models) == ["main", "handbook"]


def test_the_smallest_one_at_its_head_works(tmp_path):
    smallest = re.findall(r"^#     (.*)$", TEXT, re.MULTILINE)

    config = read(tmp_path, "\n".join(smallest))

    assert [name for name, settings in config.adapters.items() if settings.enabled] == ["telegram"]
    assert "main" in config.models
    assert config.access.allow


def test_every_setting_says_why():
    setting = re.compile(r"^#?[a-z_]+ = ")
    whole = re.sub(r'"""\\\n.*?"""', "...", TEXT, flags=re.DOTALL)

    expect_none(
        line
        for line in whole.splitlines()
        if setting.match(line) and not re.search(r"  # \S", line)
    )
