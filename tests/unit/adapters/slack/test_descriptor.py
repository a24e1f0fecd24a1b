"""What Slack tells about itself before its SDK is imported."""

import json
import re
import subprocess
import sys
import time

import pytest

from adapters.slack.descriptor import DESCRIPTOR
from adapters.slack.settings import SlackSettings
from bot.core.health import Beat
from bot.domain.commands import Command
from bot.domain.errors import ConfigError
from bot.ports.platform import Surroundings


def surroundings(**secrets):
    return Surroundings(
        bot_name="P",
        streaming="edit",
        marks=None,
        pulse=Beat("test", time.time),
        secret=lambda name: secrets.get(name, "x"),
    )


def test_the_descriptor_imports_no_sdk():
    code = ("import sys, adapters.slack.descriptor; "
            "print({name.split('.')[0] for name in sys.modules} & {'slack_sdk', 'slack_bolt', 'aiohttp'})")  # fmt: skip
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


@pytest.mark.parametrize(
    ("mode", "variables"),
    [
        ("socket", {"SLACK_BOT_TOKEN": "xoxb-1-a", "SLACK_APP_TOKEN": "xapp-1-a"}),
        ("http", {"SLACK_BOT_TOKEN": "xoxp-1-a", "SLACK_SIGNING_SECRET": "8f" * 16}),
    ],
)
def test_each_mode_asks_for_its_own_secrets(mode, variables):
    secrets = DESCRIPTOR.secrets(SlackSettings(mode=mode))
    assert {secret.variable for secret in secrets} == set(variables)
    for secret in secrets:
        assert re.fullmatch(secret.shape, variables[secret.variable])
        assert secret.hint
        assert hasattr(SlackSettings(), secret.key.rpartition(".")[2])


def test_a_bot_token_in_the_place_of_an_app_token_does_not_fit():
    bot, app = DESCRIPTOR.secrets(SlackSettings())
    assert not re.fullmatch(app.shape, "xoxb-1")
    assert not re.fullmatch(bot.shape, "xapp-1")


def test_the_manifest_has_one_command_and_what_the_adapter_needs():
    catalogue = (Command(name="help", about="What I can do"), Command(name="reset", about="Forget"),
                 Command(name="admin", about="Manage", rank="admin"))  # fmt: skip
    app = json.loads(DESCRIPTOR.manifest(catalogue))
    (slash,) = app["features"]["slash_commands"]
    assert (slash["command"], slash["should_escape"]) == ("/parley", True)
    assert slash["usage_hint"] == "help | reset"
    assert app["settings"]["socket_mode_enabled"] is True
    assert app["settings"]["interactivity"]["is_enabled"] is True
    assert app["features"]["app_home"]["messages_tab_read_only_enabled"] is False
    assert app["features"]["agent_view"]["agent_description"]
    scopes = {"chat:write", "commands", "im:history", "users:read", "usergroups:read"}
    assert scopes <= set(app["oauth_config"]["scopes"]["bot"])
    assert {"app_mention", "message.im"} <= set(
        app["settings"]["event_subscriptions"]["bot_events"]
    )


def test_a_large_catalogue_does_not_make_the_hint_too_long():
    catalogue = tuple(Command(name=f"command_{n}", about="x") for n in range(200))
    app = json.loads(DESCRIPTOR.manifest(catalogue))
    assert len(app["features"]["slash_commands"][0]["usage_hint"]) <= 150


@pytest.mark.parametrize(
    "url", ["http://slack.example/api/", "ftp://slack.com/api/", "slack.com/api/"]
)
def test_tokens_never_travel_in_the_clear(url):
    with pytest.raises(ConfigError, match=r"adapters\.slack\.base_url"):
        DESCRIPTOR.build(SlackSettings(base_url=url), surroundings())


def test_nothing_built_shows_its_tokens():
    adapter = DESCRIPTOR.build(
        SlackSettings(), surroundings(SLACK_BOT_TOKEN="xoxb-secret", SLACK_APP_TOKEN="xapp-secret")
    )
    assert "secret" not in repr(adapter)
    hidden = DESCRIPTOR.build(
        SlackSettings(mode="http"), surroundings(SLACK_SIGNING_SECRET="secret")
    )
    assert "secret" not in repr(hidden).replace("signing_secret", "")
