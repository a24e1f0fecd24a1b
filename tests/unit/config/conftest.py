"""A configuration as an operator has it: a file, variables, and the platforms that ship."""

import pytest

from bot.app import platforms
from bot.config import load
from bot.domain.errors import ConfigError


@pytest.fixture
def file(tmp_path):
    """Write a file and return its path."""

    def write(text, *, encoding="utf-8"):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.fixture
def read(file):
    """Load a text with these variables."""

    def load_text(text="", **variables):
        return load(file(text), platforms(), variables)

    return load_text


@pytest.fixture
def problems(read):
    """Load a text that is wrong; return what is reported, line by line."""

    def lines(text="", **variables):
        with pytest.raises(ConfigError) as caught:
            read(text, **variables)
        return str(caught.value).splitlines()

    return lines
