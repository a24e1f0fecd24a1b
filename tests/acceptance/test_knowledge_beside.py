"""Documents come and go beside a running bot, and either process is killed in the middle of it."""

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
from collections import Counter
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.core import citing
from tests.acceptance.counting import Shapes
from tests.acceptance.stage import PARLEY, Stage, surroundings

pytestmark = pytest.mark.long

DOCUMENTS, BOOK = 8, 4  # how many there are, and which one is long
PARTS = 3  # of a paper
LOGGED = 300_000  # bytes: so much is in the log long before a book is committed, never of a paper
STOPPED = "parley: the bot has stopped meanwhile; do this again, nothing is done twice\n"
RETURNS = "# Returns\n\nA hat goes back within 30 days, its FEATHER included.\n"
WAGES = "# Wages\n\nThe hourly wage of staff is SECRET, some 21 euros.\n"
STAFF = """
[collections.staff]
readers = ["moderator"]
[roles]
moderator = ["telegram::1002"]
"""  # who speaks in room 1
SOURCES = citing.SOURCES.strip("*")  # as Telegram shows it
SOURCE = "select source from documents"
PASSAGE = """select d.source, p.number, p.path, p.text from passages as p
left join documents as d on d.id = p.document"""
TERM = "select term, doc from passage_terms"


class Citing(Shapes):
    """Answers that cite the first passage."""

    def answer(self, token):
        return f"[1] {super().answer(token)}"


class Held(NamedTuple):
    """What a database holds."""

    documents: Counter  # by source
    passages: Counter
    terms: dict  # in how many passages each word is found

    def expect_whole(self, shelf):
        """See that each document is there once and as a whole, or not at all."""
        assert set(self.documents.values()) <= {1}
        whole = [passage for passage in shelf.passages if passage[0] in self.documents]
        assert self.passages == Counter(whole)


def rows(folder, *statements):
    """Read a database in one transaction, and change nothing."""
    path = folder / "data" / "parley.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
        db.execute("begin")
        return [db.execute(sql).fetchall() for sql in statements]


def held(folder):
    """Return what a database holds at this moment."""
    documents, passages, terms = rows(folder, SOURCE, PASSAGE, TERM)
    return Held(Counter(source for (source,) in documents), Counter(passages), dict(terms))


# Reading and writing ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def docs(tmp_path_factory):
    """Return a folder of many papers and a book."""
    folder = tmp_path_factory.mktemp("docs")
    for number in range(DOCUMENTS):
        parts = [f"The part{number}x{n} of paper {number} is well known." for n in range(PARTS)]
        if number == BOOK:
            parts = [
                " ".join(f"слово{(part + n) % 5000}" for n in range(25)) for part in range(2500)
            ]
        text = "\n\n".join(f"## Part {part}\n\n{said}" for part, said in enumerate(parts))
        (folder / f"paper{number}.md").write_text(f"# Paper {number}\n\n{text}\n")
    return folder


@pytest.fixture(scope="module")
def shelf(docs, tmp_path_factory):
    """Return what is held where nobody is killed."""
    folder = configured(tmp_path_factory.mktemp("shelf"))
    subprocess.run(command(folder, "add", docs), check=True, capture_output=True)
    shelf = held(folder)
    assert len(shelf.documents) == DOCUMENTS
    assert set(shelf.passages.values()) == {1}
    papers = Counter(Path(source).stem for source, *_ in shelf.passages)
    assert papers.pop(f"paper{BOOK}") > 1000
    assert set(papers.values()) == {PARTS}
    assert shelf.terms[f"part{BOOK - 1}x1"] == 1
    return shelf


def configured(folder):
    (folder / "config.toml").write_text(f'data_dir = "{folder}/data"\n')
    return folder


def command(folder, *arguments):
    config = folder / "config.toml"
    return [PARLEY, "knowledge", *map(str, arguments), "--config", str(config)]


@asynccontextmanager
async def begun(folder, *arguments):
    """Start `parley knowledge` as a process of its own; at the end it is killed."""
    process = await asyncio.create_subprocess_exec(
        *command(folder, *arguments), cwd=folder, env=surroundings(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process):
    """Return exit code, output and complaints."""
    out, complaints = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode(), complaints.decode()


async def parley(folder, *arguments):
    """Run `parley knowledge` to its good end; returns what it says."""
    async with begun(folder, *arguments) as process:
        code, out, complaints = await ended(process)
    assert (code, complaints) == (0, "")
    return out


# Moments ------------------------------------------------------------------------------------------


async def seen(moment, adding, writing):
    """Wait for a moment while something is added, and hold there the process that writes.

    It is held at each look, too: on a busy machine it would be past the moment meanwhile.
    """
    async with asyncio.timeout(60):
        writing.send_signal(signal.SIGSTOP)
        while not moment():
            writing.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.002)
            assert adding.returncode is None, "it ended before that moment"
            writing.send_signal(signal.SIGSTOP)


def count(folder):
    """Count the documents; a database that is not made yet has none."""
    try:
        return len(rows(folder, SOURCE)[0])
    except sqlite3.OperationalError:
        return 0


def fresh(folder):
    """Whether the database is being made."""
    return (folder / "data" / "parley.db").exists() and not count(folder)


def amid(folder):
    """Return what tells whether the book is being written, and not there yet."""
    log, sizes = folder / "data" / "parley.db-wal", {}

    def moment():
        size = log.stat().st_size if log.exists() else 0
        documents = count(folder)  # after the size: what was in the log by then was no commit
        return documents == BOOK and size > sizes.setdefault(documents, size) + LOGGED

    return moment


# Talking ------------------------------------------------------------------------------------------


@asynccontextmanager
async def stage_in(folder, sections=""):
    """Set a stage whose model cites; nothing is started."""
    settings = {"streaming": "off", "shapes": Citing(), "sections": sections}
    async with Stage("telegram", folder, **settings) as stage:
        yield stage
    assert "Traceback" not in (folder / "log").read_text()


async def asked(stage, room, question):
    """Ask in a room; returns what the model was shown, and what people are."""
    token = stage.say(room, question)
    await stage.quiet(room)
    prompts = [call.args["messages"] for call in stage.model.calls]
    (prompt,) = [lines for lines in prompts if lines[-1]["content"].endswith(f"#{token}")]
    (answer,) = [text for text in stage.place.shown(room) if f"#{token}." in text]
    return json.dumps(prompt), answer


async def expect_quoted(stage, number):
    """Ask for what a paper says: it is in the prompt, and its name below the answer."""
    prompt, answer = await asked(stage, 0, f"what is known of part{number}x2?")
    assert f"The part{number}x2 of paper {number} is well known." in prompt
    assert f"(paper{number}.md)" in answer.partition(SOURCES)[2]


# What is proven -----------------------------------------------------------------------------------


async def test_a_running_bot_quotes_what_was_added_until_it_is_removed(tmp_path):
    for name, text in {"shop/returns.md": RETURNS, "staff/wages.md": WAGES}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    hat, wage = "when does a hat go back?", "what is the hourly wage of staff?"
    async with stage_in(tmp_path, STAFF) as stage:
        await stage.begin(2)
        prompt, answer = await asked(stage, 0, hat)
        assert ("FEATHER" in prompt, SOURCES in answer) == (False, False)

        assert await parley(tmp_path, "add", tmp_path / "shop") == "1 added\n"
        staff = ("add", tmp_path / "staff", "--collection", "staff")
        assert await parley(tmp_path, *staff) == "1 added\n"

        prompt, answer = await asked(stage, 0, hat)
        assert "FEATHER" in prompt
        assert "returns.md" in answer.partition(SOURCES)[2]
        prompt, answer = await asked(stage, 0, wage)
        assert ("SECRET" in prompt, "wages.md" in answer) == (False, False)
        prompt, answer = await asked(stage, 1, wage)
        assert ("SECRET" in prompt, "wages.md" in answer.partition(SOURCES)[2]) == (True, True)

        [[(id,)]] = rows(tmp_path, "select id from documents where source like '%/returns.md'")
        assert await parley(tmp_path, "remove", id) == "1 removed.\n"
        prompt, answer = await asked(stage, 0, hat)
        assert ("FEATHER" in prompt, SOURCES in answer) == (False, False)
        assert await stage.stop() == 0


async def test_an_add_that_was_killed_is_made_good_by_the_same_command(tmp_path, docs, shelf):
    configured(tmp_path)
    async with begun(tmp_path, "add", docs) as adding:
        await seen(lambda: fresh(tmp_path), adding, adding)
    assert count(tmp_path) == 0
    for moment in (lambda: count(tmp_path) >= 2, amid(tmp_path)):
        async with begun(tmp_path, "add", docs) as adding:
            await seen(moment, adding, adding)
            assert moment(), "it was not held in time"
        held(tmp_path).expect_whole(shelf)
    assert count(tmp_path) == BOOK
    said = await parley(tmp_path, "add", docs)
    assert said == f"{DOCUMENTS - BOOK} added, {BOOK} unchanged\n"
    assert held(tmp_path) == shelf


async def test_a_bot_answers_while_an_add_beside_it_is_killed(tmp_path, docs, shelf):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        async with begun(tmp_path, "add", docs) as adding:
            await seen(lambda: count(tmp_path) >= 2, adding, adding)
            await expect_quoted(stage, 1)
            assert count(tmp_path) < BOOK
        held(tmp_path).expect_whole(shelf)
        async with begun(tmp_path, "add", docs) as adding:
            await seen(amid(tmp_path), adding, stage.process)
        held(tmp_path).expect_whole(shelf)
        stage.process.send_signal(signal.SIGCONT)
        said, _ = await asyncio.gather(parley(tmp_path, "add", docs), expect_quoted(stage, 1))
        assert sum(map(int, re.findall(r"\d+", said))) == DOCUMENTS
        assert held(tmp_path) == shelf
        await expect_quoted(stage, DOCUMENTS - 1)
        assert await stage.stop() == 0


async def test_an_add_beside_a_bot_that_is_killed_says_so_and_can_be_repeated(
    tmp_path, docs, shelf
):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        async with begun(tmp_path, "add", docs) as adding:
            await seen(moment := amid(tmp_path), adding, stage.process)
            assert moment(), "it was not held in time"
            await stage.kill()
            assert await ended(adding) == (1, "", STOPPED)
        held(tmp_path).expect_whole(shelf)
        await stage.start()
        await expect_quoted(stage, BOOK - 1)
        said = await parley(tmp_path, "add", docs)
        assert said == f"{DOCUMENTS - BOOK} added, {BOOK} unchanged\n"
        assert held(tmp_path) == shelf
        await expect_quoted(stage, DOCUMENTS - 1)
        assert await stage.stop() == 0
