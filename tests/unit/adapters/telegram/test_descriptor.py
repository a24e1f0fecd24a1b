"""What Telegram tells about itself before its SDK is loaded."""

import re
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.telegram.descriptor import DESCRIPTOR
from adapters.telegram.settings import TelegramSettings
from bot.domain.commands import Command

CATALOGUE = (
    Command(name="help", about="What I can do"),
    Command(name="reset", about="Begin anew", aliases=("new",)),
    Command(name="admin", about="For moderators", rank="moderator"),
)


def test_the_descriptor_imports_no_sdk():
    code = (
        "import sys, adapters.telegram.descriptor as d; "
        "print([m for m in ('telegram', 'aiohttp', 'httpx', 'orjson') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_manifest_is_what_botfather_takes():
    lines = DESCRIPTOR.manifest(CATALOGUE).splitlines()
    commands = [line for line in lines if re.fullmatch(r"[a-z][a-z0-9_]{0,31} - .{1,256}", line)]
    assert commands == ["help - What I can do", "reset - Begin anew"]
    assert any("/setcommands" in line for line in lines)


def test_secrets_depend_on_the_mode():
    polling = DESCRIPTOR.secrets(TelegramSettings(token_env="MY_TOKEN"))
    assert [(secret.key, secret.variable) for secret in polling] == [
        ("adapters.telegram.token_env", "MY_TOKEN")
    ]
    webhook = DESCRIPTOR.secrets(TelegramSettings(mode="webhook"))
    assert [secret.variable for secret in webhook] == [
        "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
    ]


@pytest.mark.parametrize(
    ("token", "plausible"),
    [("123456789:" + "A" * 35, True), ("12:A-_" + "x" * 30, True), ("undefined", False),
     ("", False), ("123456789:short", False), ("x:" + "A" * 35, False)],
)  # fmt: skip
def test_the_shape_of_a_token(token, plausible):
    (secret,) = DESCRIPTOR.secrets(TelegramSettings())
    assert bool(re.fullmatch(secret.shape, token)) == plausible


def test_settings_can_be_validated():
    settings = TypeAdapter(TelegramSettings)
    assert settings.validate_python({"enabled": True, "mode": "webhook"}).mode == "webhook"
    with pytest.raises(ValidationError):
        settings.validate_python({"mode": "carrier pigeon"})


def test_abilities_are_telegrams():
    abilities = DESCRIPTOR.abilities
    assert (abilities.text_limit, abilities.unit, abilities.streaming) == (4096, "utf16", ("edit",))
