"""A picture is not decoded here, only measured: what is shown it must not run out of memory."""

import struct

from bot.backends.files.sheet import Sheet
from bot.domain.errors import FileRefused

MOST_PIXELS = 50_000_000
_NOT_A_FRAME = (0xC4, 0xC8, 0xCC)  # markers of JPEG among those that begin a frame


def read(data: bytes, sheet: Sheet) -> None:
    """Write how large a picture is, unless it is larger than any model wants."""
    width, height = _measured(data)
    if not 0 < width * height <= MOST_PIXELS:
        raise FileRefused(f"The picture has {width:,} x {height:,} pixels, which is not usable.")
    sheet.remark(f"A picture of {width} x {height} pixels.")


def _measured(data: bytes) -> tuple[int, int]:
    if data.startswith(b"\x89PNG"):
        width, height = struct.unpack_from(">II", data, 16)
    elif data.startswith(b"GIF8"):
        width, height = struct.unpack_from("<HH", data, 6)
    elif data.startswith(b"RIFF"):
        width, height = _webp(data)
    else:
        width, height = _jpeg(data)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int]:
    place = 2
    while True:
        mark, marker, length = struct.unpack_from(">BBH", data, place)
        if mark != 0xFF:
            raise FileRefused("The picture cannot be measured; it may be damaged.")
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_A_FRAME:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 1 if marker == 0xFF else 2 + length
