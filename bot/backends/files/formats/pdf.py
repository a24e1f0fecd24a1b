"""A PDF: the text of its first pages. Pictures of text hold none, and the note says so."""

from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from bot.backends.files.sheet import Sheet
from bot.domain.errors import FileRefused

MOST_PAGES = 500


def read(data: bytes, sheet: Sheet) -> None:
    """Write the text of a document, page by page."""
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileRefused("The document is locked with a password.")
        pages = len(reader.pages)
        if pages > MOST_PAGES:
            sheet.remark(f"Only the first {MOST_PAGES} of {pages:,} pages are here.")
        for number in range(min(pages, MOST_PAGES)):
            sheet.write(f"{reader.pages[number].extract_text().strip()}\n\n")
    except PyPdfError:
        raise FileRefused("The document cannot be read; it may be damaged.") from None
    if not sheet.text:
        sheet.remark("No text was found; it may consist of pictures.")
