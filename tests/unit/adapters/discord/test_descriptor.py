"""Discord without its SDK."""

import json
import re
import subprocess
import sys

from adapters.discord.descriptor import DESCRIPTOR
from adapters.discord.settings import DiscordSettings
from bot.domain.commands import Command


def test_importing_the_descriptor_imports_no_sdk():
    program = (
        "import sys, adapters.discord.descriptor;"
        "print([m for m in ('discord', 'aiohttp', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "discord" not in done.stdout.replace("adapters.discord", "")
    assert "aiohttp" not in done.stdout


def test_the_token_is_asked_for_with_its_shape_and_where_to_find_it():
    (secret,) = DESCRIPTOR.secrets(DiscordSettings(token_env="MY_TOKEN"))
    assert (secret.key, secret.variable) == ("adapters.discord.token_env", "MY_TOKEN")
    assert re.fullmatch(secret.shape, "MTI.G-x_y.abc-DEF_123")
    assert not re.fullmatch(secret.shape, "123456789:AAA")
    assert "discord.com/developers" in secret.hint


def test_the_manifest_says_what_to_click_and_shows_the_commands():
    manifest = json.loads(DESCRIPTOR.manifest((Command(name="help", about="What I can do."),)))
    assert [command["name"] for command in manifest["commands"]] == ["help"]
    assert "scope=bot%20applications.commands&permissions=274877975552" in manifest["invite"]["url"]
    assert "Message Content Intent" in manifest["privileged_intents"]


def test_settings_are_off_by_default_and_point_at_discord():
    settings = DESCRIPTOR.settings()
    assert (settings.enabled, settings.api_base_url) == (False, "https://discord.com/api/v10")
