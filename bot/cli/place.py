"""Where a bot keeps its files, found without reading the rest of the configuration.

The verbs of operation are needed most when something is wrong: they do not stumble over a setting
that has nothing to do with them, and a health check that runs twice a minute costs little.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.domain.errors import ConfigError, StoreError
from bot.ops.place import Place


def place_in(path: Path | None, environment: Mapping[str, str] = os.environ) -> Place:
    """Read the two settings, as `bot.config.load` does; without a file the defaults count.

    Raises:
        ConfigError: the file is missing or not TOML.
    """
    raw = _parsed(path)
    database = raw.get("database")
    database = database if isinstance(database, dict) else {}
    folder = _text(environment, "PARLEY__DATA_DIR", raw.get("data_dir")) or "data"
    url = _text(environment, "PARLEY__DATABASE__URL", database.get("url"))
    return Place(data_dir=Path(folder).expanduser(), url=url)


def expect_no_terminal(person: str) -> None:
    """Send those away who look for what was said in a terminal.

    Raises:
        ConfigError: `parley chat` keeps that by itself.
    """
    if person.startswith("console:"):
        raise ConfigError(
            f"{person}: what was said in `parley chat` lies apart; type /export or /forget_me there"
        )


def embedder_in(path: Path | None, environment: Mapping[str, str] = os.environ) -> str:
    """Read what makes vectors of documents, as `bot.config.load` does.

    Raises:
        ConfigError: the file is missing or not TOML.
    """
    table = _parsed(path).get("knowledge")
    written = table.get("embedder") if isinstance(table, dict) else None
    return _text(environment, "PARLEY__KNOWLEDGE__EMBEDDER", written) or "none"


def expect(database: Path) -> None:
    """Begin no database where somebody only looks.

    Raises:
        StoreError: there is none.
    """
    if not database.exists():
        raise StoreError(f"there is no database {database} yet; does --config name the right file?")


def _parsed(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; does --config name it?") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def _text(environment: Mapping[str, str], variable: str, written: object) -> str:
    """Return what a variable says, which may stand in quotes, or what the file says."""
    said = environment.get(variable)
    if said is None:
        return written if isinstance(written, str) else ""
    try:
        value = tomllib.loads(f"value = {said}")["value"]
    except ValueError:
        return said
    return value if isinstance(value, str) else said
