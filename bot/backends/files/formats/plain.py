"""Text, Markdown, CSV and JSON: read as they stand, so that nothing in them can be parsed wrong.

A model reads a table or an object as it is written; neither a million columns nor a hundred
thousand brackets are more than characters here.
"""

from bot.backends.files.sheet import Sheet

_WIDE = (b"\xff\xfe", b"\xfe\xff")  # how UTF-16 begins


def read(data: bytes, sheet: Sheet) -> None:
    """Write the text of a file."""
    sheet.write(decoded(data, sheet))


def decoded(data: bytes, sheet: Sheet, announced: str = "utf-8") -> str:
    """Return bytes as text, in Unicode or in what the file announces."""
    if data.startswith(_WIDE):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", announced):
        try:
            return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    sheet.remark("The file does not say how its letters are written, so some may be wrong.")
    return data.decode("cp1252", "replace")
