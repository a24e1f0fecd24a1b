"""Tokens come from the environment or from files, never from the configuration file.

Looked up in this order: the file that `<VARIABLE>_FILE` names, `$CREDENTIALS_DIRECTORY/<VARIABLE>`
(systemd), the variable itself.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.domain.errors import ConfigError
from bot.ports.platform import Secret

PLACEHOLDERS = re.compile(
    r"^(undefined|null|none|changeme|change-me|secret|token|password|x+|your[-_ ].*|<.*>|\.\.\.)$",
    re.IGNORECASE,
)


class Secrets:
    """Finds tokens; an unset one is a sentence about where to put it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def find(self, variable: str) -> str | None:
        """Return the value, or None when it is nowhere."""
        named = self._environment.get(f"{variable}_FILE")
        credentials = self._environment.get("CREDENTIALS_DIRECTORY")
        for path in (named, credentials and f"{credentials}/{variable}"):
            if path and Path(path).is_file():
                return Path(path).read_text(encoding="utf-8").strip()
        return self._environment.get(variable, "").strip() or None

    def get(self, variable: str) -> str:
        """Return the value; raises ConfigError when it is not set."""
        value = self.find(variable)
        if value is None:
            raise ConfigError(f"{variable}: is not set; put the token into this variable")
        return value

    def problems(self, secrets: Iterable[Secret]) -> list[str]:
        """Return one line for each secret that is missing, a placeholder, or of the wrong shape."""
        found = []
        for secret in secrets:
            value = self.find(secret.variable)
            hint = secret.hint or "put the token into this variable"
            if value is None:
                found.append(f"{secret.key}: the variable {secret.variable} is not set; {hint}")
            elif PLACEHOLDERS.match(value):
                found.append(f"{secret.key}: {secret.variable} holds a placeholder; {hint}")
            elif not re.fullmatch(secret.shape, value):
                found.append(
                    f"{secret.key}: {secret.variable} does not look like such a token; {hint}"
                )
        return found
