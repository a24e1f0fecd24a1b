"""What is installed is pinned to the byte, and from nowhere in particular."""

import re

import pytest

from tests.architecture.source import ROOT

FILES = sorted((ROOT / "requirements").glob("*.txt"))
ENTRY = re.compile(
    r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+( ; .+)?( --hash=sha256:[0-9a-f]{64})+$"
)


def entries(text: str) -> list[str]:
    """Return one line per requirement, hashes included."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_requirement_has_a_version_and_hashes(file):
    assert [entry[:80] for entry in entries(file.read_text()) if not ENTRY.match(entry)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_says_where_to_download_from(file):
    assert "://" not in file.read_text()


def test_there_is_a_file_for_all_that_is_installed_or_measured_with():
    assert [file.name for file in FILES] == [
        "baseline.txt",
        "build.txt",
        "corpora.txt",
        "dev.txt",
        "local.txt",
        "run.txt",
        "small.txt",
    ]


@pytest.mark.parametrize(
    "line",
    ["aiohttp==3.14.5", "aiohttp>=3 --hash=sha256:" + "0" * 64, "aiohttp @ https://host/a.whl",
     "--index-url https://host/simple", "-e ."],
)  # fmt: skip
def test_what_is_not_pinned_is_found(line):
    assert not ENTRY.match(line)
