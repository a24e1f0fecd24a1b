"""What a file is, by its first bytes: neither its name nor its sender is believed.

Only text has no mark of its own. There the announced type, then the ending of the name, decide
which kind of text it is; nothing that is not text becomes text, or the other way round.
"""

import re

_MARKS = (
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_INNER_MARKS = {  # behind RIFF and a length
    b"WEBP": "image/webp",
    b"WAVE": "audio/wav",
}
_TEXTS = {
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "markdown": "text/markdown",
    "md": "text/markdown",
    "tab": "text/csv",
    "tsv": "text/csv",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_PAGE = re.compile(
    rb"\s*(?:<!--.{0,512}?-->\s*){0,4}<(?:!doctype\s+html|html|head|body|script|title)\b",
    re.IGNORECASE | re.DOTALL,
)
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE = 4096  # bytes


def sniffed(data: bytes, *, announced: str, name: str) -> str:
    """Return the media type of a file."""
    for mark, found in _MARKS:
        if data.startswith(mark):
            return found
    if data.startswith(b"RIFF"):
        return _INNER_MARKS.get(data[8:12], "application/octet-stream")
    if data[4:8] == b"ftyp":
        return "audio/mp4" if data[8:11] == b"M4A" else "video/mp4"
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    return _text(data, announced, name)


def _archive(data: bytes) -> str:
    """Tell by the names of the parts, which stand uncompressed in it; nothing is unpacked here."""
    if b"word/document.xml" in data:
        return f"{_OFFICE}wordprocessingml.document"
    return "application/zip"


def _text(data: bytes, announced: str, name: str) -> str:
    head = data[:_SAMPLE]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[2:].replace(b"\0", b"")  # UTF-16
    if _UNPRINTABLE.search(head):
        return "application/octet-stream"
    if announced == "text/html" or _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "text/html"
    if announced in _TEXTS.values():
        return announced
    return _TEXTS.get(name.rpartition(".")[2].lower(), "text/plain")
