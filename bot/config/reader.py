"""Reads sections strictly: unknown keys and wrong types become problems, reported together."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import ConfigError

T = TypeVar("T")
PREFIX = "PARLEY__"
LITERAL_TOKEN = re.compile(
    r"^(xox[abeprs]-|xapp-|sk-)|^\d{6,12}:[\w-]{30,}$|^[\w-]{23,}\.[\w-]{6,7}\.[\w-]{27,}$"
)


class Reader:
    """Reads sections and collects what is wrong with them, one line a problem."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def section(self, kind: type[T], raw: Any, key: str) -> T | None:
        """Read one section; None when it has a problem."""
        if not isinstance(raw, Mapping):
            self.problems.append(f"{key}: should be a table; write [{key}] above its keys")
            return None
        names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
        try:
            return TypeAdapter(kind).validate_python(self.known(raw, names, key))
        except ValidationError as error:
            for problem in error.errors():
                place = ".".join([key, *(str(part) for part in problem["loc"])])
                self.problems.append(f"{place}: {_sentence(problem)}")
            return None

    def known(self, raw: Mapping[str, Any], names: Iterable[str], key: str) -> dict[str, Any]:
        """Return the known keys; each unknown one is a problem with a suggestion."""
        allowed = list(names)
        for name in raw:
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, 1)
                advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(allowed)}"
                self.problems.append(f"{join(key, name)}: unknown key; {advice}")
        return {name: value for name, value in raw.items() if name in allowed}

    def tables(self, top: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the named tables below one key."""
        tables = top.get(name, {})
        if isinstance(tables, Mapping):
            return dict(tables)
        self.problems.append(f"{name}: should be a table of tables; write [{name}.NAME]")
        return {}

    def refuse_tokens(self, raw: Any, key: str = "") -> None:
        """Find tokens that stand in the file."""
        if isinstance(raw, str) and LITERAL_TOKEN.search(raw):
            self.problems.append(
                f"{key}: a token must not stand in the file; put it into an environment "
                "variable and name that variable with the key that ends in _env"
            )
        elif isinstance(raw, Mapping):
            for name, value in raw.items():
                self.refuse_tokens(value, join(key, name))
        elif isinstance(raw, list):
            for value in raw:
                self.refuse_tokens(value, key)


def parsed(path: Path | None) -> dict[str, Any]:
    """Read a TOML file; raises ConfigError when it is missing or not TOML."""
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `parley init` writes one") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def overlay(raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put `PARLEY__SECTION__KEY` variables over what the file says."""
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX):
            continue
        *tables, name = variable.removeprefix(PREFIX).lower().split("__")
        place = raw
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{variable}: {table} is not a table; check the name")
        place[name] = _value(text)


def join(key: str, name: str) -> str:
    """Write the dotted name of a key, quoted where TOML needs it."""
    name = name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
    return f"{key}.{name}" if key else name


def _value(text: str) -> Any:
    """Read a variable as TOML where it is TOML (`true`, `5`, `["a"]`), else as the text it is."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _sentence(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is missing; write it"
    text = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{text}; it is {problem['input']!r} now"
