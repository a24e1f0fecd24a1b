"""The work of `parley knowledge`: beside a running bot through its socket, else on its database."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bot.app.clocks import SystemClock
from bot.backends.embeddings import MINILM
from bot.backends.files.downloading import Downloader
from bot.backends.files.reading import FORMATS, FileReader
from bot.backends.files.walking import LARGEST, NAMELESS, Walk, loaded
from bot.backends.sqlite.store import RestingStore, at_rest
from bot.cli import pruning
from bot.cli.late import late
from bot.cli.operating import LOOKING_S, STARTING_S
from bot.cli.place import expect
from bot.cli.sources import WEB, Source, expect_document, sources
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.keeping import Keeping, Wishes
from bot.core.knowledge.retrieving import Retriever
from bot.core.knowledge.wording import ByWords
from bot.domain.errors import ConfigError, FileRefused, HungUp, NoDocument, ParleyError, StoreInUse
from bot.ops.asking import ask
from bot.ops.knowledge import Call, KnowledgeVerbs, RemoteShelves, unknown
from bot.ops.place import Place
from bot.ports.files import Downloaded, Wanted
from bot.ports.library import Document

local = late("bot.app.embedding:local")
LONG_S = 600.0  # seconds that a running bot may take for one request
CHARACTERS = 1_000_000  # of one document
STAYS = "What it said before is still quoted; `parley knowledge remove {id}` ends that."


@dataclass(slots=True)
class Report:
    """What became of all sources."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0  # documents whose source is no more, and which are still there
    spared: int = 0  # of them, those that are not pruned
    failed: int = 0  # what was meant and could not be done
    skipped: dict[str, int] = field(default_factory=dict)  # by reason
    notes: list[tuple[str, str]] = field(default_factory=list)  # source, sentence

    def plain(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {name: getattr(self, name) for name in self.__slots__}


def work(place: Place, verb: str, **values: Any) -> Any:
    """Do one verb.

    Raises:
        ConfigError: what was named is not there.
        ParleyError: it cannot be done; one sentence.
    """
    return asyncio.run(_work(place, verb, values))


async def _work(place: Place, verb: str, values: Mapping[str, Any]) -> Any:
    wanted = dict(values)
    embedder = wanted.pop("embedder")
    async with _reached(place, verb, embedder) as (call, store):
        if verb == "list":
            return await call("documents")
        if verb == "search":
            return await call("documents search", **wanted)
        librarian = Librarian(RemoteShelves(call))
        if verb == "remove":
            return await librarian.remove(wanted["ids"])
        report = await (librarian.sync if verb == "sync" else librarian.add)(**wanted)
        if store is not None and embedder == "local":  # a running bot does it by itself
            await _embed(store)
        return report.plain()


@asynccontextmanager
async def _reached(
    place: Place, verb: str, embedder: str
) -> AsyncIterator[tuple[Call, RestingStore | None]]:
    """Yield how to do a verb: ask the running bot, or do it here where none runs.

    Here only the embedder of this machine is used: a server would have to be paid.
    """

    async def asked(verb: str, **values: Any) -> Any:
        with suppress(HungUp):
            answer = await asyncio.to_thread(ask, place.socket, verb, answer_s=LONG_S, **values)
            if answer is not None:
                return answer
        raise ParleyError("the bot has stopped meanwhile; do this again, nothing is done twice")

    async with AsyncExitStack() as stack:
        store = await _opened(place, verb, stack)
        if store is None:
            yield asked, None
            return
        by_words = ByWords(library=store.library, wording=store.wording)
        meaning = local() if embedder == "local" and verb == "search" else None
        retriever = Retriever(
            library=store.library, by_words=by_words, embedder=meaning, english=meaning is not None
        )
        known = KnowledgeVerbs(
            library=store.library,
            ranked=retriever.ranked,
            embedder=MINILM if embedder == "local" else "",
        ).verbs

        async def call(verb: str, **values: Any) -> Any:
            return await known[verb](values)

        yield call, store


async def _opened(place: Place, verb: str, stack: AsyncExitStack) -> RestingStore | None:
    """Open the database where no bot listens; one that is just starting is waited for."""
    end = time.monotonic() + STARTING_S
    while True:
        if await asyncio.to_thread(ask, place.socket, "health") is not None:
            return None
        if verb != "add":  # the only one that may begin a library
            expect(place.database)
        try:
            return await stack.enter_async_context(at_rest(place.database))
        except StoreInUse:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(LOOKING_S)


async def _embed(store: RestingStore) -> None:
    """Give passages their vectors, where the embedder is on this machine and costs nothing."""
    embedder = local()
    await embedder.ready()
    embedding = Embedding(library=store.library, embedder=embedder, clock=SystemClock())
    known = await store.library.progress(embedder.name)
    with _bar("Embedding", known.passages - known.embedded) as step:
        while done := await embedding.step():
            for _ in range(done):
                step()


@dataclass(slots=True)
class Librarian:
    """Brings sources to the shelves."""

    shelves: RemoteShelves
    keeping: Keeping = field(init=False)
    downloads: Downloader = field(default_factory=Downloader)
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        """Read files in processes of their own."""
        reader = FileReader(characters=CHARACTERS, seconds=60.0)
        self.keeping = Keeping(shelves=self.shelves, reader=reader, clock=SystemClock())

    async def add(
        self,
        named: Sequence[str],
        own: Sequence[Path],
        collection: str,
        prune: bool,
        link: str | None,
        **said: Any,
    ) -> Report:
        """Read what was named; `own` are the bot's files and folders, which nobody means."""
        wanted: dict[str, Source] = {}  # by place: what is named twice is read once
        folders: list[str] = []
        for name in named:
            found, walked = await asyncio.to_thread(sources, name, link, own)
            if walked.folder and said.get("title"):
                raise ConfigError(f"--title is for one document, and {name} is a folder")
            wanted.update((source.place, source) for source in found)
            self._walked(walked)
            folders += [f"{walked.folder}/"] if walked.folder else []
        known = await self.keeping.known(collection)
        there: set[str] = set()
        with _bar("Reading", len(wanted)) as step:
            for source in wanted.values():
                wishes = Wishes(**said, link=source.link)
                if await self._keep(source, collection, wishes, known):
                    there.add(source.place)
                step()
        below = [one for one in known.values() if one.source.startswith(tuple(folders))]
        gone = await asyncio.to_thread(pruning.gone, below)
        bare = [one for one in folders if not any(place.startswith(one) for place in there)]
        spared = pruning.spared(gone, bare)
        for folder in bare:
            left = spared.get(folder)
            said_so = pruning.sentence(left) if left else "Nothing was read in it."
            self._note(folder.rstrip("/"), said_so, failed=True)
        await self._end(gone, spared, prune=prune)
        return self.report

    async def sync(self, *, prune: bool) -> Report:
        """Read all that is known again."""
        known = await self.keeping.known()
        gone = await asyncio.to_thread(pruning.gone, known.values())
        ids = {one.id for one in gone}
        left = [one for one in known.values()
                if one.id not in ids and one.source.startswith(("/", *WEB))]  # fmt: skip
        with _bar("Reading", len(left)) as step:
            for one in left:
                await self._keep(Source(one.source), one.collection, Wishes(), known)
                step()
        spared = pruning.spared(gone, await asyncio.to_thread(pruning.bare, gone))
        for folder, documents in spared.items():
            self._note(folder.rstrip("/"), pruning.sentence(documents), failed=prune)
        await self._end(gone, spared, prune=prune)
        return self.report

    async def remove(self, ids: Sequence[int]) -> dict[str, Any]:
        """Remove documents; none when one of them is unknown."""
        known = {document.id for document in await self.shelves.documents()}
        for id in ids:
            if id not in known:
                raise unknown(id)
        for id in ids:
            await self.shelves.remove(id)
        gone = set(ids)
        left = len(known) - len(gone)
        return {"removed": len(gone), "left": left, "complete": await self.shelves.scour()}

    async def _keep(
        self, source: Source, collection: str, wishes: Wishes,
        known: Mapping[tuple[str, str], Document],
    ) -> bool:  # fmt: skip
        """Read a source; False when there is no document of it."""
        wanted = Document(collection=collection, source=source.place, title="", digest="")
        before = known.get((collection, source.place))
        try:
            file = await self._fetched(source)
            if not (source.named or before):
                expect_document(file)
            outcome = await self.keeping.keep(file, wanted, wishes, before)
        except FileRefused as refusal:
            expected = isinstance(refusal, NoDocument) and not (source.named or before)
            note = f"{refusal} {STAYS.format(id=before.id)}" if before else str(refusal)
            self._note(source.place, note, failed=not expected)
            self._count({str(refusal).rstrip("."): 1})
            return before is not None
        setattr(self.report, outcome.result, getattr(self.report, outcome.result) + 1)
        if outcome.note:
            self._note(source.place, outcome.note)
        return True

    async def _fetched(self, source: Source) -> Downloaded:
        if not source.web:
            return await asyncio.to_thread(loaded, Path(source.place))
        types = tuple(kind for kind in FORMATS if not kind.startswith("image/"))
        return await self.downloads.fetch(Wanted(url=source.place, types=types, max_bytes=LARGEST))

    def _walked(self, walk: Walk) -> None:
        """Count what was left out below a folder; not all of it was left out on purpose."""
        self._count(walk.skipped)
        self.report.failed += walk.skipped.get(NAMELESS, 0)
        for folder in walk.closed:
            self._note(folder, "It cannot be read.", failed=True)

    def _note(self, source: str, sentence: str, *, failed: bool = False) -> None:
        self.report.notes.append((source, sentence))
        self.report.failed += failed

    def _count(self, reasons: Mapping[str, int]) -> None:
        for reason, count in reasons.items():
            self.report.skipped[reason] = self.report.skipped.get(reason, 0) + count

    async def _end(
        self, gone: Sequence[Document], spared: Mapping[str, Sequence[Document]], *, prune: bool
    ) -> None:
        left = {one.id for documents in spared.values() for one in documents}
        for document in gone if prune else ():
            if document.id not in left:
                self.report.removed += await self.shelves.remove(document.id)
        self.report.gone, self.report.spared = len(gone) - self.report.removed, len(left)
        if self.report.removed or self.report.changed:
            await self.shelves.scour()


@contextmanager
def _bar(label: str, count: int) -> Iterator[Callable[[], None]]:
    """Draw how many of all are done, for those who watch."""
    watched = sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not watched, transient=True) as progress:
        task = progress.add_task(label, total=count)
        yield lambda: progress.advance(task)
