"""Files from strangers become text in a process of their own, whatever is in them."""

import asyncio
import os
import struct
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from bot.backends.files import reading
from bot.backends.files.reading import FileReader
from bot.domain.errors import FileRefused
from bot.ports.files import Downloaded, Read
from tests.integration.files_rig import read, refusal

CUT = "Only the first 1,000 characters are here, the rest is left out."
ROOT = os.fspath(reading.Path(__file__).parents[2])
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("data", "text", "sure"),
    [
        (b"plain words\r\n", "plain words", True),
        ("\ufeffGrüße, 尺寸".encode(), "Grüße, 尺寸", True),
        ("Grüße".encode("utf-16"), "Grüße", True),
        ("Grüße".encode("latin-1"), "Grüße", False),
        (b"a\0b", "a\ufffdb", True),
        (b"", "", True),
    ],
)
async def test_text_is_read_in_any_usual_encoding(data, text, sure):
    found = await read(data)

    assert (found.text, found.note == "") == (text, sure)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/csv", b",".join(b"%d" % n for n in range(1_000_000))),
        ("application/json", b"[" * 100_000 + b"]" * 100_000),
        ("text/markdown", b"> " * 500_000),
        ("text/plain", b"a" * 20_000_000),
    ],
)
async def test_what_is_too_long_is_cut_and_the_note_says_so(kind, data):
    assert await read(data, kind) == Read(text=data[:1_000].decode().strip(), note=CUT)


async def test_what_just_fits_has_no_note():
    assert await read(b"a" * 1_000) == Read(text="a" * 1_000)


PAGE = b"""<!DOCTYPE html><html><head><title>Our  shop</title><style>p { color: red }</style>
<script>evil()</script></head><body><!-- a comment --><h1>Open</h1><p>from <b>nine</b> to
<i>five</i>.<p hidden>hidden 1<p>Closed &amp; quiet<br>on <a href="http://x/">Sunday</a>s
<div style="color: red; display : none">hidden 2<span>hidden 3</span></div>
<div style="font-size:0px">hidden 4</div><div style="opacity: 0.0">hidden 5</div>
<div aria-hidden="true">hidden 6<img alt="hidden 7"></div><input value="hidden 8">
<template>hidden 9</template><noscript>hidden 10</noscript><ul><li>one<li>two</ul>
<span style="VISIBILITY:hidden">hidden 11</span><p style="opacity:0.5;font-size:10px">pale</p>
</b></nonsense>end</body></html>"""


async def test_of_a_web_page_only_what_can_be_seen_is_read():
    found = await read(PAGE, "text/html")

    lines = [line.strip() for line in found.text.splitlines() if line.strip()]
    assert lines == ["# Open", "from nine to five.", "Closed & quiet", "on Sundays",
                     "one", "two", "pale", "end"]  # fmt: skip


def shown(text) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


async def test_the_rows_of_a_table_on_a_page_stay_together():
    page = b"""<table><caption>Dresses</caption><tr><th>Size<th>Bust | cm<th>In stock</tr>
    <tr><td>S</td><td>84 to\n 88</td><td><ul><li>blue</li><li>red</li></ul></td></tr>
    <tr hidden><td>XS</td></tr><tr><td></td></tr><tr><td>M</td><td colspan=2>sold out</td></tr>
    <tr><td rowspan=2>L</td><td>95</td><td>sand</td></tr><tr><td>96</td><td>black</td></tr>
    </table>after"""

    assert shown((await read(page, "text/html")).text) == [
        "Dresses", "| Size | Bust \\| cm | In stock |", "| --- | --- | --- |",
        "| S | 84 to 88 | blue red |", "| M | sold out |  |",
        "| L | 95 | sand |", "| L | 96 | black |", "after",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [b"<table><tr><td>menu<td># text</table>", b"<table><tr><td>menu<tr><td># text</table>",
     b"<table><tr><td>menu<tr><td># text", b"menu<tr><td># text"],
    ids=["a row", "a column", "left open", "no table"],
)  # fmt: skip
async def test_what_has_no_rows_and_columns_is_read_line_by_line(page):
    assert shown((await read(page, "text/html")).text) == ["menu", "\\# text"]


async def test_a_table_that_puts_a_page_in_order_is_none():
    inner = b"<table><tr><th>a<th>b<tr><td>1<td>2</table>"
    page = b"<table><tr><td>top<tr><td>left<td><h2>News</h2>" + inner + b"<p>right</table>end"

    assert shown((await read(page, "text/html")).text) == [
        "top", "left", "## News", "| a | b |", "| --- | --- |", "| 1 | 2 |", "right", "end"
    ]  # fmt: skip


async def test_a_long_table_is_cut_and_the_note_says_so():
    page = b"<table>" + b"<tr><td>size</td><td>39</td></tr>" * 100_000

    found = await read(page, "text/html")

    assert found.text.startswith("| size | 39 |\n| --- | --- |\n| size | 39 |")
    assert 980 < len(found.text) <= 1_000
    assert found.note == CUT


async def test_the_menu_of_a_site_is_no_part_of_a_page():
    page = b"<title>Sizes</title><nav><a>Home</a><a>Shop</a></nav><h1>Sizes</h1><p>Small."

    assert shown((await read(page, "text/html")).text) == ["# Sizes", "Small."]


async def test_a_web_page_says_how_its_letters_are_written():
    page = "<meta charset='koi8-r'><p>Привет".encode("koi8-r")

    assert await read(page, "text/html") == Read(text="Привет")
    assert (await read(b"<meta charset=rot13><p>hello", "text/html")).text == "hello"


@pytest.mark.parametrize(
    "page",
    [b"<div>" * 1_000_000 + b"end", b"<p hidden>" * 500_000, b"<!--" * 300_000,
     b"<a b='" * 20_000, b"&" * 3_000_000, b"<div>" * 9_000 + b"</p>" * 300_000],
    ids=["nested", "hidden", "comments", "attributes", "references", "stray ends"],
)  # fmt: skip
async def test_a_hostile_page_ends_in_time(page):
    with suppress(FileRefused):
        assert len((await read(page, "text/html")).text) <= 1_000


JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc4\0\x03c\xff\xc2\0\x0b\x08" + struct.pack(
    ">HH", 480, 640
)
WEBP = b"RIFF\0\0\0\0WEBP"


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("image/png", PNG + struct.pack(">II", 640, 480)),
        ("image/gif", b"GIF89a" + struct.pack("<HH", 640, 480)),
        ("image/jpeg", JPEG),
        ("image/webp", WEBP + b"VP8 " + bytes(10) + struct.pack("<HH", 640, 480)),
        ("image/webp", WEBP + b"VP8L" + bytes(5) + struct.pack("<I", 639 | 479 << 14)),
        ("image/webp", WEBP + b"VP8X" + bytes(8) + b"\x7f\x02\0\xdf\x01\0"),
    ],
)
async def test_a_picture_is_measured(kind, header):
    assert await read(header + bytes(20), kind) == Read(note="A picture of 640 x 480 pixels.")


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (0, 5), (50_000_001, 1)])
async def test_a_picture_of_no_usable_size_is_refused(width, height):
    sentence = await refusal(PNG + struct.pack(">II", width, height), "image/png")

    assert "not usable" in sentence


@pytest.mark.parametrize(
    "data", [PNG, b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 99, JPEG[:15] + b"!!!!"]
)
async def test_a_picture_that_cannot_be_measured_is_refused(data):
    assert "damaged" in await refusal(data, "image/png" if data == PNG else "image/jpeg")


async def test_other_kinds_are_refused_before_anything_starts():
    said = await refusal(b"PK\x03\x04", "application/zip")

    assert said == (
        "Files of this kind (application/zip) cannot be read; text, HTML, PDF, DOCX and CSV can."
    )


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("bytearray(600_000_000)", "MemoryError"),
        ("open(sys.argv[1], 'wb', 0).write(b'x')", "OSError"),
        ("[os.open('/', os.O_RDONLY) for _ in range(20)]", "OSError"),
    ],
)
def test_a_worker_gives_up_what_it_may_do(tmp_path, attempt, outcome):
    assert outcome in confined(tmp_path, attempt)


def test_a_worker_can_gain_no_privileges(tmp_path):
    assert "NoNewPrivs:\t1" in confined(tmp_path, "print(open('/proc/self/status').read())")


def confined(folder, attempt) -> str:
    program = "import os, resource, sys; from bot.backends.files.worker import confine; confine()"
    done = subprocess.run([sys.executable, "-c", f"{program}; {attempt}", folder / "made"], cwd=ROOT, timeout=60,
                          check=False, capture_output=True, text=True)  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def taken_over(monkeypatch):
    """Let workers run what a hostile file might make them run."""

    def take_over(program):
        monkeypatch.setattr(reading, "PROGRAM", f"import os, sys, time\n{program}")

    return take_over


@pytest.mark.parametrize(
    "program",
    [
        "print('nonsense')",
        "print('[' * 100_000)",
        "print('[1, 2]')",
        'print(\'{"text": 5, "note": ""}\')',
        'print(\'{"text": "no note"}\')',
        "os.write(1, bytes(8_000_000))",
        "while True: os.write(1, bytes(65_536))",
        "os.abort()",
        "sys.exit()",
    ],
)
async def test_a_worker_is_not_believed(taken_over, program):
    taken_over(program)

    assert "may be damaged" in await refusal(b"hello" * 100_000, seconds=10)


async def test_what_a_worker_says_is_cut(taken_over):
    taken_over("print('{\"text\": \"' + 'a' * 2000 + '\", \"note\": \"' + 'b' * 2000 + '\"}')")
    found = await read(b"")
    taken_over("print('{\"refused\": \"' + 'c' * 2000 + '\"}')")

    assert (len(found.text), len(found.note), len(await refusal(b""))) == (1_000, 500, 500)


async def test_a_worker_knows_nothing_of_its_surroundings(taken_over):
    taken_over(
        "import json; print(json.dumps({'text': repr((sorted(os.environ), os.getcwd())), 'note': ''}))"
    )

    text = (await read(b"")).text
    assert text in ("([], '/')", "(['LC_CTYPE'], '/')")  # Python itself sets the one


async def test_a_worker_that_waits_for_ever_is_killed_with_its_children(taken_over):
    taken_over("os.fork(); time.sleep(1_000)")

    assert "too long" in await refusal(b"a" * 1_000_000, seconds=0.5)
    await no_children()


async def test_a_worker_whose_time_is_used_up_is_ended(taken_over):
    taken_over("""sys.path[:] = sys.argv[3:]
import bot.backends.files.worker as worker
worker.CPU = 1
worker.confine()
while True: pass""")

    assert "too long" in await refusal(b"")


async def test_who_gives_up_waiting_leaves_no_worker_behind(taken_over):
    taken_over("time.sleep(1_000)")
    task = asyncio.create_task(read(b""))
    async with asyncio.timeout(10):
        while not psutil.Process().children():
            await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await no_children()


async def no_children():
    async with asyncio.timeout(10):
        while psutil.Process().children(recursive=True):
            await asyncio.sleep(0.01)


async def test_only_so_many_files_are_read_at_a_time(taken_over):
    taken_over('time.sleep(0.2); print(\'{"text": "", "note": ""}\')')
    reader = FileReader(turns=asyncio.Semaphore(1))
    began = time.monotonic()

    file = Downloaded(data=b"", type="text/plain", name="file")
    await asyncio.gather(*(reader.read(file) for _ in range(3)))

    assert time.monotonic() - began >= 0.6
