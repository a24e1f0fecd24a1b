"""Token counts without a network."""

import asyncio
import base64
import hashlib
import socket

import pytest
import tiktoken_ext.openai_public as definitions
from hypothesis import given
from hypothesis import strategies as st

from bot.backends.tokens import o200k
from bot.backends.tokens.o200k import COUNTED_LIMIT, RANKS, O200kCounter, unpack
from bot.domain.errors import ConfigError

# What tiktoken 0.14.0 says after it has downloaded the ranks; see NOTICE for their origin.
PUBLISHED = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"


@pytest.fixture(scope="module")
def counter() -> O200kCounter:
    counter = O200kCounter()
    asyncio.run(counter.load())
    return counter


def test_the_packed_ranks_are_the_published_ones():
    ranks = unpack(RANKS.read_bytes())
    lines = b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())
    assert hashlib.sha256(lines).hexdigest() == PUBLISHED


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hello world", 2),
        ("2 + 2 = 4", 7),
        ("Hello, world! 123456", 7),
        ("antidisestablishmentarianism", 6),
        ("<|endoftext|>", 7),
        ("a\ud800b", 3),
        ("👋🏽", 4),
        ("お誕生日おめでとう", 8),
        ("a" * 800, 100),
    ],
)
def test_counts_are_those_of_the_encoding(counter, text, tokens):
    assert counter.count(text) == tokens


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_text_raises_and_none_has_more_tokens_than_bytes(counter, text):
    assert 0 <= counter.count(text) <= len(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text", ["word " * 60_000, "漢字" * 60_000, "word " * 30_000 + "ß§" * 60_000]
)
def test_long_texts_are_estimated_and_rather_too_high(counter, text):
    half = COUNTED_LIMIT // 2
    exact = sum(counter.count(text[at : at + half]) for at in range(0, len(text), half))
    assert 0.98 * exact <= counter.count(text) <= len(text.encode())


async def test_loading_asks_no_network_and_runs_once(monkeypatch):
    def refused(*_):
        raise AssertionError("a socket was opened")

    counter = O200kCounter()
    loads = []
    real = o200k.unpack
    monkeypatch.setattr(o200k, "unpack", lambda packed: loads.append(1) or real(packed))
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    await asyncio.gather(counter.load(), counter.load(), counter.load())
    await counter.load()
    assert len(loads) == 1
    assert counter.count("hello world") == 2


async def test_tiktoken_is_left_as_it_was():
    before = definitions.load_tiktoken_bpe
    await O200kCounter().load()
    assert definitions.load_tiktoken_bpe is before


def test_counting_before_loading_is_a_mistake():
    with pytest.raises(RuntimeError, match="load"):
        O200kCounter().count("x")


@pytest.mark.parametrize("content", [None, b"damaged"])
async def test_a_damaged_file_is_an_operators_problem(monkeypatch, tmp_path, content):
    file = tmp_path / "o200k_base.bin.xz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(o200k, "RANKS", file)
    with pytest.raises(ConfigError, match="install the package again"):
        await O200kCounter().load()
