"""Tokens come from the environment or from files, never from the configuration file.

Looked up in this order: the file that `<VARIABLE>_FILE` names, `$CREDENTIALS_DIRECTORY/<VARIABLE>`
(systemd), the variable itself.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.domain.errors import ConfigError
from bot.ports.platform import Secret

CONTAINER = Path("/run/secrets")  # where only the container itself sees what is mounted
PLACEHOLDERS = re.compile(
    r"(undefined|null|none|changeme|change-me|secret|token|password|<.*>"
    r"|(xox[bep]-|xapp-|sk-)?(your[-_ ].*|x+|\.\.\.|…))",
    re.IGNORECASE,
)


class Secrets:
    """Finds tokens; an unset one is a sentence about where to put it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self.seen: set[str] = set()  # every value that was found, so that none of them leaves

    def find(self, variable: str) -> str | None:
        """Return the value, or None when it is nowhere.

        Raises:
            ConfigError: the file that is named for it is missing, unreadable or empty.
        """
        value = self._find(variable)
        if value is not None:
            self.seen.add(value)
        return value

    def _find(self, variable: str) -> str | None:
        if named := self._environment.get(f"{variable}_FILE"):
            return _read(Path(named), f"{variable}_FILE")
        if folder := self._environment.get("CREDENTIALS_DIRECTORY"):
            path = Path(folder, variable)
            if path.is_file():
                return _read(path, variable)
        return self._environment.get(variable, "").strip() or None

    def get(self, variable: str) -> str:
        """Return the value; raises ConfigError when it is not set."""
        value = self.find(variable)
        if value is None:
            raise ConfigError(f"{variable}: is not set; put the token into this variable")
        return value

    def problems(self, secrets: Iterable[Secret]) -> list[str]:
        """Return one line for each secret that is missing, a placeholder, or of the wrong shape."""
        return [problem for secret in secrets if (problem := self._problem(secret))]

    def _problem(self, secret: Secret) -> str:
        hint = secret.hint or "put the token into this variable"
        try:
            value = self.find(secret.variable)
        except ConfigError as error:
            return f"{secret.key}: {error}"
        if value is None:
            return f"{secret.key}: the variable {secret.variable} is not set; {hint}"
        if PLACEHOLDERS.fullmatch(value):
            return f"{secret.key}: {secret.variable} holds a placeholder; {hint}"
        if not re.fullmatch(secret.shape, value):
            return f"{secret.key}: {secret.variable} does not look like such a token; {hint}"
        return ""


def _read(path: Path, variable: str) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
        everybody = path.stat().st_mode & stat.S_IROTH and path.parent != CONTAINER
    except OSError as error:
        cause = (error.strerror or "unknown error").lower()
        raise ConfigError(f"{variable}: {path} cannot be read ({cause}); check the path") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{variable}: {path} is not text; put the token into it") from None
    if not value:
        raise ConfigError(f"{variable}: {path} is empty; put the token into it")
    if everybody:
        raise ConfigError(
            f"{variable}: everybody on this machine can read {path}; chmod 600 it, and replace the "
            "token if others have been here"
        )
    return value
