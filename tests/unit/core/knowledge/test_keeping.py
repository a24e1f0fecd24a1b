"""Taking a source in: what is refused, and that nobody has to wait for it."""

import asyncio

import pytest

from bot.app.clocks import SystemClock
from bot.core.knowledge.keeping import MOST, Keeping, Wishes
from bot.domain.errors import FileRefused
from bot.ports.files import Downloaded, Read
from bot.ports.library import Document

WANTED = Document(collection="shop", source="/a.md", title="", digest="")


class Shelf:
    """Keeps what it is given."""

    def __init__(self):
        self.kept = []

    async def put(self, document, chunks):
        self.kept.append((document, chunks))
        return 1


class Plain:
    """Reads text as it stands."""

    async def read(self, file):
        return Read(text=file.data.decode())


@pytest.fixture
def shelf():
    return Shelf()


def keep(shelf, text, kind="text/markdown"):
    keeping = Keeping(shelves=shelf, reader=Plain(), clock=SystemClock())
    file = Downloaded(data=text.encode(), type=kind, name="a.md")
    return keeping.keep(file, WANTED, Wishes(), None)


async def test_others_are_answered_while_a_book_is_cut(shelf):
    book = "# Book\n" + "\n\n".join(f"## Chapter {n}\n" + "word " * 400 for n in range(150))
    kept = asyncio.create_task(keep(shelf, book))
    turns = 0
    while not kept.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert kept.result().result == "added"
    assert turns > 5
    assert shelf.kept[0][0].title == "Book"


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ("layout: page\ntitle: Opening hours", "Opening hours"),
        ('title: "Returns: how and when" # for all', "Returns: how and when"),
        ("title: 'Gift cards'\ntags:\n- shop", "Gift cards"),
        ("title: C# for tailors # draft", "C# for tailors"),
        ("title: 'It''s a gift'", "It's a gift"),
        ('title: "The \\"best\\" size"', 'The "best" size'),
        ("title: null", "a"),
        (f"title: a{' ' * 100_000}b", "a"),  # read in linear time
        ("subtitle: none", "a"),
        ("title: >\n  folded", "a"),
        (f"title: {'long ' * 50}", "a"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_a_page_has_the_title_of_its_front_matter(shelf, front, title, end):
    page = f"---\n{front}\n---\n\nWe are open.\n\n# One\n\nFrom nine.\n\n# Two\n\nTo six.\n"
    await keep(shelf, page.replace("\n", end))
    ((document, chunks),) = shelf.kept
    assert document.title == title
    assert not any("title" in chunk.text for chunk in chunks)


async def test_a_page_of_front_matter_alone_says_nothing(shelf):
    with pytest.raises(FileRefused, match="no text"):
        await keep(shelf, "---\ntitle: Only front\n---")
    assert shelf.kept == []


async def test_more_passages_than_a_store_takes_at_once_are_refused(shelf):
    with pytest.raises(FileRefused, match="50,000"):
        await keep(shelf, "a\n" * (MOST + 2), "text/csv")
    assert shelf.kept == []
