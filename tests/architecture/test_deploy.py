"""The files for running Parley for good fit the program that they run."""

import re
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from bot.app import platforms
from bot.backends.openai.settings import OpenAISettings
from bot.cli import VERBS, main
from tests.architecture.source import PLATFORMS, ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()
README = (DEPLOY / "README.md").read_text()
UNIT = (DEPLOY / "parley.service").read_text()


def variables() -> set[str]:
    """Return the variables of all tokens that the defaults ask for."""
    known = platforms()
    tokens = {
        secret.variable
        for name in PLATFORMS
        for secret in known[name].secrets(known[name].settings())
    }
    return tokens | {OpenAISettings(model="m").api_key_env}


def test_the_slack_manifest_is_what_the_command_prints():
    printed = CliRunner().invoke(main, ["manifest", "slack"]).output

    assert (DEPLOY / "slack-manifest.json").read_text().rstrip() == printed.rstrip()


def test_every_token_has_its_line_in_the_unit():
    found = re.findall(
        r"^#?LoadCredential=(\w+):/etc/parley/credentials/(\w+)$", UNIT, re.MULTILINE
    )

    assert {name for name, _ in found} == variables()
    assert all(name == file for name, file in found)


def test_every_token_has_its_three_lines_in_the_composition():
    names = {variable.lower() for variable in variables()}

    files = re.findall(r"^ +(?:# )?([A-Z_]+)_FILE: /run/secrets/(\w+)$", COMPOSE, re.MULTILINE)
    given = re.findall(r"^ +(?:# )?- (\w+)$", COMPOSE, re.MULTILINE)
    kept = re.findall(r"^ +(?:# )?(\w+): { file: \./secrets/(\w+) }$", COMPOSE, re.MULTILINE)

    assert {name.lower() for name, _ in files} == {file for _, file in files} == names
    assert set(given) == names
    assert {name for name, _ in kept} == {file for _, file in kept} == names


def test_the_image_is_made_of_files_that_are_there_and_are_sent():
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text()
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    ]

    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if f"\n!{name}\n" not in sent] == []


def test_the_image_runs_as_nobody_special_and_has_no_secret():
    final = DOCKERFILE.rpartition("\nFROM ")[2]

    assert "\nUSER 10001:10001\n" in final
    assert re.search(r"TOKEN|API_KEY|SECRET", DOCKERFILE) is None


def test_what_the_image_and_its_readme_call_are_verbs():
    called = re.findall(r'"parley", "(\w+)"', DOCKERFILE)
    called += re.findall(r"\bparley (?!parley |sh )(\w+)", README)

    assert {"health", "status", "backup", "restore"} <= set(called)
    assert set(called) <= set(VERBS)


def test_everything_in_the_image_is_pinned_by_hash():
    installs = re.findall(r"pip install (.+)", DOCKERFILE)

    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_is_locked_up():
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(DEPLOY / "parley.service")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd cannot rate a file")

    score = re.search(r"exposure level for parley.service: ([\d.]+)", done.stdout)
    assert float(score[1]) <= 2.0
