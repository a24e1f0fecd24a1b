"""Reads sections strictly: unknown keys and wrong types become problems, reported together."""

import difflib
import re
import tomllib
from collections import abc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import ConfigError

T = TypeVar("T")
PREFIX = "PARLEY__"
LITERAL_TOKEN = re.compile(
    r"^\s*((xox[abeprs]-|xapp-|sk-)|\d{6,12}:[\w-]{30,}\s*$"
    r"|[\w-]{23,}\.[\w-]{6,7}\.[\w-]{27,}\s*$)"
)
WANTED = {  # what to write, by the kind of a pydantic error
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dataclass_type": "a table",
    "tuple_type": 'a list, like ["first", "second"]',
}


class Reader:
    """Reads sections and collects what is wrong with them, one line a problem."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def section(self, kind: type[T], raw: Any, key: str) -> T | None:
        """Read one section; None when it has a problem."""
        if not isinstance(raw, Mapping):
            self.problems.append(f"{key}: should be a table; write [{key}] above its keys")
            return None
        known = self._strict(kind, raw, key)
        if not known and not required(kind):
            return kind()  # building a checker takes milliseconds, and most sections are left out
        try:
            return TypeAdapter(kind).validate_python(known)
        except ValidationError as error:
            for place, problem in _innermost(error, known).items():
                self.problems.append(f"{'.'.join((key, *place))}: {_sentence(problem)}")
            return None

    def _strict(self, kind: Any, raw: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Return the known keys of a section, and of the tables in it."""
        known = self.known(raw, [f.name for f in fields(kind)], key)
        inner = any(isinstance(value, Mapping | list) for value in known.values())
        hints = get_type_hints(kind) if inner else {}
        for name, value in known.items():
            if isinstance(value, Mapping):
                known[name] = self._table(hints[name], value, join(key, name))
            elif isinstance(value, list) and name in hints:
                known[name] = self._listed(hints[name], value, join(key, name))
        return known

    def _listed(self, hint: Any, raw: list[Any], key: str) -> list[Any]:
        """Check the tables of a list; each bears its name, or is counted like any list."""
        kind = next(iter(get_args(hint)), None)
        if not is_dataclass(kind):
            return raw
        return [
            self._strict(kind, one, join(key, str(one.get("name", number))))
            if isinstance(one, Mapping)
            else one
            for number, one in enumerate(raw)
        ]

    def _table(self, hint: Any, raw: Mapping[str, Any], key: str) -> Any:
        """Check a table in a section: a section itself, one of several kinds, or named sections."""
        if is_dataclass(hint):
            return self._strict(hint, raw, key)
        parts = get_args(hint)
        if get_origin(hint) is abc.Mapping and is_dataclass(parts[1]):
            return {
                name: self._table(parts[1], value, join(key, name))
                if isinstance(value, Mapping)
                else value
                for name, value in raw.items()
            }
        for part in parts:
            if is_dataclass(part):
                return self._strict(part, raw, key)
        return raw

    def known(self, raw: Mapping[str, Any], names: Iterable[str], key: str) -> dict[str, Any]:
        """Return the known keys; each unknown one is a problem with a suggestion."""
        allowed = list(names)
        for name in raw:
            if name not in allowed:
                self.problems.append(f"{join(key, name)}: unknown key; {advice(name, allowed)}")
        return {name: value for name, value in raw.items() if name in allowed}

    def tables(self, top: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the named tables below one key."""
        tables = top.get(name, {})
        if isinstance(tables, Mapping):
            return dict(tables)
        self.problems.append(f"{name}: should be a table of tables; write [{name}.NAME]")
        return {}

    def text(self, raw: Any, key: str) -> str | None:
        """Read one text; None when it is none."""
        if isinstance(raw, str):
            return raw
        self.problems.append(f"{key}: is {raw!r}; write {WANTED['string_type']}")
        return None

    def without_tokens(self, raw: Any, key: str = "") -> Any:
        """Return all but the tokens that stand where at most a variable's name may stand.

        They are problems, and what is gone cannot be repeated by another complaint.
        """
        if isinstance(raw, str) and LITERAL_TOKEN.search(raw):
            self.problems.append(
                f"{key}: a token must not stand in the configuration; put it into an environment "
                "variable and name that variable with the key that ends in _env"
            )
            return "***"
        if isinstance(raw, Mapping):
            return {
                name: self.without_tokens(value, join(key, name)) for name, value in raw.items()
            }
        if isinstance(raw, list):
            return [self.without_tokens(value, key) for value in raw]
        return raw


def parsed(path: Path | None) -> dict[str, Any]:
    """Read a TOML file; raises ConfigError when it is missing or not TOML."""
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors add a mark
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `parley init` writes one") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: is not valid TOML: {error}; look for a missing quote or a name written twice"
        ) from error


def overlay(raw: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Put `PARLEY__SECTION__KEY` variables over what the file says; return what does not fit."""
    problems = []
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX):
            continue
        *tables, name = variable.removeprefix(PREFIX).lower().split("__")
        place: Any = raw
        for table in tables:
            place = place.setdefault(table, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[name] = _value(text)
        else:
            problems.append(f"{variable}: {'.'.join(tables)} is not a table; check the name")
    return problems


def required(kind: type[Any]) -> list[str]:
    """Name the keys of a section that have no default."""
    return [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]


def advice(name: str, allowed: Sequence[str]) -> str:
    """Return what was probably meant, or all that is allowed."""
    near = difflib.get_close_matches(name, allowed, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(allowed)}"


def join(key: str, name: str) -> str:
    """Write the dotted name of a key, quoted where TOML needs it."""
    name = name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
    return f"{key}.{name}" if key else name


def _value(text: str) -> Any:
    """Read a variable: lists, tables and quoted text are TOML, all else is the text it is.

    Numbers and truth values stay text here, since only their setting knows whether `5` is a number
    or a name.
    """
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, list | dict | str) else text


def _innermost(error: ValidationError, raw: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return one problem per place: what may be of several kinds is wrong as each of them."""
    found: dict[tuple[str, ...], Any] = {}
    for problem in error.errors():
        place, inside = [], raw
        for part in map(str, problem["loc"]):  # a key, an index, or the name of a kind
            here = isinstance(inside, Mapping) and part in inside
            if here or part.isdecimal() or problem["type"] == "missing":
                place.append(part)
                inside = inside[part] if here else {}
        found.setdefault(tuple(place), problem)
    return {
        place: problem
        for place, problem in found.items()
        if not any(other[: len(place)] == place and other != place for other in found)
    }


def _sentence(problem: Any) -> str:
    kind, value = problem["type"], problem["input"]
    if kind == "missing":
        return "is missing; write it"
    wanted = problem["ctx"]["expected"] if kind == "literal_error" else WANTED.get(kind)
    return f"is {value!r}; write {wanted or problem['msg']}"
