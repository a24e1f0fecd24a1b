"""How near two vectors are; for a few of them, where no index is worth its while."""

import sys
from array import array
from operator import mul


def likeness(one: bytes, other: bytes) -> float:
    """Return the cosine of two vectors of length 1, little-endian float32.

    Raises:
        ValueError: they are not of one size.
    """
    if len(one) != len(other):
        raise ValueError(f"vectors of {len(one)} and {len(other)} bytes")
    return float(sum(map(mul, _floats(one), _floats(other))))


def _floats(vector: bytes) -> "array[float]":
    floats = array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats
