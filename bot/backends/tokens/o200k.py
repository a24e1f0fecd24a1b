"""Counts tokens as OpenAI's o200k models do; other models' counts are close to it.

tiktoken would download the ranks of the encoding on first use, without a time limit. Ours come in
the package: `o200k_base.bin.xz` holds the tokens in the order of their rank, each behind one byte
with its length. How the ranks were packed and under which licence they are is in the NOTICE beside
them.
"""

import asyncio
import hashlib
import lzma
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tiktoken
import tiktoken_ext.openai_public as definitions  # type: ignore[import-untyped]

from bot.domain.errors import ConfigError

RANKS = Path(__file__).with_name("o200k_base.bin.xz")
SHA256 = "74c6f5af06dd76707df670b80098f8be24afcd25ffae041f3df869abdcf63f65"
COUNTED_LIMIT = 50_000  # characters: some 20 ms of CPU; longer texts are estimated from samples
SAMPLES, SAMPLE_SIZE = 8, 2_000

_patching = threading.Lock()


class O200kCounter:
    """Counts tokens; `load` takes some 0.3 s of CPU and 60 MB, so it waits until it is needed."""

    def __init__(self) -> None:
        self._encoding: tiktoken.Encoding | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Read the ranks in a thread, once.

        Raises:
            ConfigError: the file of the ranks is damaged or missing.
        """
        async with self._loading:
            if self._encoding is None:
                self._encoding = await asyncio.to_thread(_load)

    def count(self, text: str) -> int:
        """Return the number of tokens; special tokens in a text count as the plain text they are.

        A text of more than COUNTED_LIMIT characters is estimated by its densest sample, so the
        result is rather too high than too low, but never above its UTF-8 bytes.

        Raises:
            RuntimeError: nobody has called `load`.
        """
        if self._encoding is None:
            raise RuntimeError("load() the counter before counting")
        if len(text) <= COUNTED_LIMIT:
            return len(self._encoding.encode_ordinary(text))
        return _estimate(self._encoding, text)


def unpack(packed: bytes) -> dict[bytes, int]:
    """Return the ranks by token."""
    raw = lzma.decompress(packed)
    ranks: dict[bytes, int] = {}
    at = 0
    while at < len(raw):
        end = at + 1 + raw[at]
        ranks[raw[at + 1 : end]] = len(ranks)
        at = end
    return ranks


def _load() -> tiktoken.Encoding:
    try:
        packed = RANKS.read_bytes()
    except OSError as cause:
        raise ConfigError(f"{RANKS.name}: cannot be read; install the package again") from cause
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise ConfigError(f"{RANKS.name}: is damaged; install the package again")
    ranks = unpack(packed)
    with _ranks_from(ranks):
        encoding = tiktoken.Encoding(**definitions.o200k_base())
    ranks.clear()  # the encoding has its own copy outside Python and needs this one no more
    return encoding


@contextmanager
def _ranks_from(ranks: Mapping[bytes, int]) -> Iterator[None]:
    """Let tiktoken's definition of the encoding take these ranks instead of a download.

    The definition asks a function of its module for them and offers no other way in.
    """

    def given(*_: Any, **__: Any) -> Mapping[bytes, int]:
        return ranks

    with _patching:
        original = definitions.load_tiktoken_bpe
        definitions.load_tiktoken_bpe = given
        try:
            yield
        finally:
            definitions.load_tiktoken_bpe = original


def _estimate(encoding: tiktoken.Encoding, text: str) -> int:
    size = len(text.encode("utf-8", "replace"))
    step = (len(text) - SAMPLE_SIZE) // (SAMPLES - 1)
    samples = [text[at : at + SAMPLE_SIZE] for at in range(0, len(text) - SAMPLE_SIZE + 1, step)]
    densest = max(
        len(encoding.encode_ordinary(sample)) / len(sample.encode("utf-8", "replace"))
        for sample in samples
    )
    return min(size, int(densest * size) + 1)
