"""PDF and Word documents from strangers, kind and hostile: text, a cut, or one sentence."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress

import pypdf
import pytest

from bot.backends.files import reading
from bot.domain.errors import FileRefused
from tests.integration.files_rig import read, refusal

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


def document(body, head="", **parts) -> bytes:
    """Make a Word document."""
    xml = f'{head}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    return packed({"word/document.xml": xml, **parts})


def packed(parts) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def paragraph(text, properties="") -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


async def test_the_words_of_a_word_document_are_read():
    table = f"<w:tbl><w:tr><w:tc>{paragraph('size')}</w:tc><w:tc>{paragraph('38')}</w:tc></w:tr></w:tbl>"
    body = (
        paragraph("Grüße &amp; mehr") + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r>"
        "<w:r><w:br/><w:t>c</w:t></w:r></w:p>" + table
        + paragraph("hidden", "<w:vanish/>") + paragraph("shown", '<w:vanish w:val="0"/>')
        + "<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
        "<w:p><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
        "<w:p><w:r><w:instrText>HYPERLINK evil</w:instrText></w:r></w:p>"
    )  # fmt: skip
    found = await read(document(body), DOCX)

    lines = [line for line in found.text.splitlines() if line]
    assert lines == ["Grüße & mehr", "a\tb", "c", "size", "38", "shown"]
    assert found.note == ""


def rows(*lines) -> str:
    made = ("".join(f"<w:tc>{cell}</w:tc>" for cell in cells) for cells in lines)
    return f"<w:tbl>{''.join(f'<w:tr>{cells}</w:tr>' for cells in made)}</w:tbl>"


async def test_the_rows_of_a_table_in_a_word_document_stay_together():
    wide = f'<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{paragraph("sold")}{paragraph("out")}'
    table = rows(
        map(paragraph, ("Size", "Bust", "Stock")), map(paragraph, ("S", "84|88", "blue")),
        [paragraph("M"), wide],
    )  # fmt: skip
    found = await read(document(paragraph("before") + table + paragraph("after")), DOCX)

    assert [line for line in found.text.splitlines() if line] == [
        "before", "| Size | Bust | Stock |", "| --- | --- | --- |", "| S | 84\\|88 | blue |",
        "| M | sold out |  |", "after",
    ]  # fmt: skip


async def test_a_table_that_puts_a_word_document_in_order_is_none():
    heading = paragraph("News").replace("<w:r>", '<w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r>')
    table = rows([paragraph("left"), heading + paragraph("text")], [paragraph("a"), paragraph("b")])

    found = await read(document(table), DOCX)

    assert [line for line in found.text.splitlines() if line] == [
        "left", "## News", "text", "a", "b"
    ]  # fmt: skip


async def test_a_long_document_is_cut():
    found = await read(document(paragraph("word") * 100_000), DOCX)

    assert len(found.text) == 999  # the last character is the end of a line
    assert "rest is left out" in found.note


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'


def locked() -> bytes:
    """Mark the main part as encrypted, in both of its headers."""
    data = bytearray(document(""))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def bzipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("word/document.xml", "<a/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: document("&i;", LAUGHS), "damaged"),
        (lambda: document("&i;", OUTSIDE), "damaged"),
        (lambda: document(paragraph("a"), '<!DOCTYPE x SYSTEM "http://evil.example/">'), "damaged"),
        (lambda: document("<w:p>" * 100_000), "nested"),
        (lambda: document(" " * 100_000_000), "unpacks to more"),
        (lambda: packed({"word/document.xml": b"\0" * 1_000_000}), "damaged"),
        (lambda: document("", **{f"{n}": "" for n in range(5_001)}), "too many parts"),
        (lambda: packed({"word/document.xml": document("", extra=bytes(1_000_000))}), "damaged"),
        (lambda: packed({"other.xml": ""}), "damaged"),
        (lambda: document(paragraph("cut short"))[:-30], "damaged"),
        (lambda: b"PK\x03\x04" + bytes(1_000), "damaged"),
        (lambda: document("<w:p></w:r>"), "damaged"),
        (locked, "locked"),
        (bzipped, "unusual way"),
    ],
    ids=["laughs", "outside", "doctype", "deep", "bomb", "no xml", "parts", "nested zip", "no main part",
         "cut", "no zip", "crossed", "locked", "bzip2"],
)  # fmt: skip
async def test_a_hostile_word_document_is_refused(data, said):
    assert said in await refusal(data(), DOCX)


async def test_parts_beside_the_words_are_never_unpacked():
    names = {"../../evil": b"", "/etc/evil": b"", "word/media/zip.zip": bytes(200_000_000)}

    assert (await read(document(paragraph("harmless"), **names), DOCX)).text == "harmless"


def pdf(*objects: bytes) -> bytes:
    """Write objects 1, 2, … with their table; the first is the catalogue."""
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (len(places) + 1, table, len(places) + 1, len(data))
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    content = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >> stream\n%s\nendstream" % (
        len(content), entries, content)  # fmt: skip


def pages(
    kids: bytes, count: int, content: bytes = b"BT /F1 12 Tf 10 10 Td (Hello) Tj ET"
) -> bytes:
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


async def test_the_text_of_a_pdf_is_read():
    assert (await read(pages(b"3 0 R", 1), PDF)).text == "Hello"


async def test_of_many_pages_the_first_are_read_and_the_note_says_so():
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 3 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 605))
    data = pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 600 /Kids [%s] >>" % kids,
        stream(b"BT /F1 12 Tf (Hello) Tj ET"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *[page] * 600,
    )
    found = await read(data, PDF, characters=100_000)

    assert found.text.split() == ["Hello"] * 500
    assert found.note == "Only the first 500 of 600 pages are here."


async def test_a_pdf_without_text_says_so():
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(file)

    found = await read(file.getvalue(), PDF)
    assert (found.text, "pictures" in found.note) == ("", True)


def guarded(password: str) -> bytes:
    writer, file = pypdf.PdfWriter(io.BytesIO(pages(b"3 0 R", 1))), io.BytesIO()
    writer.encrypt(password, "owner", algorithm="RC4-128")
    writer.write(file)
    return file.getvalue()


async def test_a_locked_pdf_is_refused_and_one_that_needs_no_password_is_read():
    assert "password" in await refusal(guarded("secret"), PDF)
    assert (await read(guarded(""), PDF)).text == "Hello"


def object_stream_bomb() -> bytes:
    """Put the pages into an object stream that unpacks to 300 MB."""
    content = b"2 0 " + b"<< /Type /Pages /Count 0 /Kids [] >>" + b" " * 300_000_000
    head = b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n"
    packed = b"3 0 obj " + stream(content, b"/Type /ObjStm /N 1 /First 4") + b" endobj\n"
    rows = struct.pack(">BIH", 0, 0, 65535) + struct.pack(">BIH", 1, 9, 0)
    rows += struct.pack(">BIH", 2, 3, 0) + struct.pack(">BIH", 1, len(head), 0)
    start = len(head) + len(packed)
    rows += struct.pack(">BIH", 1, start, 0)
    table = b"4 0 obj " + stream(rows, b"/Type /XRef /Size 5 /W [1 4 2] /Root 1 0 R") + b" endobj\n"
    return head + packed + table + b"startxref\n%d\n%%%%EOF" % start


@pytest.mark.parametrize(
    "data",
    [
        lambda: pages(b"3 0 R " * 1_000_000, 1_000_000),
        lambda: pages(b"2 0 R", 1),
        lambda: pages(b"3 0 R", 1, b" " * 300_000_000),
        lambda: pages(b"3 0 R", 1, b"q " * 5_000_000),
        lambda: pages(b"3 0 R", 1, b"[" * 1_000_000),
        object_stream_bomb,
        lambda: b"%PDF-1.7\n" + b"<<" * 1_000_000,
        lambda: b"%PDF-1.7\n" + b"1 0 obj\n" * 1_000_000,
        lambda: pages(b"3 0 R", 1)[:-200],
        lambda: b"%PDF-1.7\n",
    ],
    ids=["pages", "cycle", "packed", "operators", "arrays", "object stream", "deep", "objects",
         "cut", "empty"],
)  # fmt: skip
@pytest.mark.long
async def test_a_hostile_pdf_ends_in_a_cut_or_a_refusal(data):
    with suppress(FileRefused):
        assert len((await read(data(), PDF)).text) <= 1_000


@pytest.mark.parametrize(("kind", "missing"), [(PDF, "pypdf"), (DOCX, "defusedxml")])
async def test_who_has_not_installed_the_parsers_is_told(monkeypatch, kind, missing):
    program = f"import sys\nsys.modules[{missing!r}] = None\n{reading.PROGRAM}"
    monkeypatch.setattr(reading, "PROGRAM", program)

    assert "parley-bot[files]" in await refusal(b"", kind)
