"""How the bots are started: the floor of a platform, and the installed `parley run`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.stage import PARLEY, SECRETS
from tests.benchmarks.searching import add

GUARDS = {"none": "none", "local": "local", "remote": "openai"}
EMBEDDERS = {"nothing": "none", "words": "none", "meaning": "local"}
KEYS = {**SECRETS, "OPENAI_API_KEY": "k"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A command and its environment."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def floor(platform: str, place: Any, model_url: str, folder: Path) -> Bot:
    """Return the floor of a platform; it runs in the folder of the checkout, as a module."""
    fake, root = place.fake, str(Path(__file__).parents[2])
    urls = {"MODEL_URL": model_url, "PYTHONPATH": root}
    if platform == "discord":
        urls |= {"PLATFORM_URL": fake.api_base_url, "GATEWAY_URL": fake.gateway_url}
    else:
        urls |= {"PLATFORM_URL": fake.base_url}
    command = (sys.executable, "-m", f"tests.benchmarks.floors.{platform}")
    return Bot(name=f"the {platform} floor", command=command, environment={**KEYS, **urls})


def parley(
    platform: str, place: Any, model_url: str, folder: Path, *, moderation: str = "none",
    knows: str = "nothing",
) -> Bot:  # fmt: skip
    """Return Parley with its defaults: durable inbox, memory, token budget; one person may write fast.

    Where it knows something, its memory sums up and a handbook is searched at every message.
    """
    config = folder / "config.toml"
    config.write_text(f"""
config_version = 1
data_dir = "{folder}/data"
[models.main]
kind = "openai"
base_url = "{model_url}"
model = "fake-model"
[privacy]
notice = false
[moderation]
provider = "{GUARDS[moderation]}"
mode = "enforce"
base_url = "{model_url}"

[memory]
kind = "{"tokens" if knows == "nothing" else "summary"}"
[knowledge]
embedder = "{EMBEDDERS[knows]}"
[access]
dm_policy = "open"
[adapters.{platform}]
enabled = true
{place.settings()}
""")
    if knows != "nothing":
        add(config)
    command = (PARLEY, "run", "--config", str(config))
    return Bot(name=f"parley on {platform}", command=command, environment=KEYS)
