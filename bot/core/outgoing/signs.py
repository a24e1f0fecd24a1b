"""Signs that are not seen, or that stand for what only the bot itself may say."""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e"
    "\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff"
    "\U0001f464]"  # the last one marks what a person of the staff says
)
_LINE_ENDS = re.compile("[\u2028\u2029]")
JOINER = "\u2060"  # invisible; what stands on its two sides is no longer one construct
TICK = "\u02cb"  # looks like a backtick


def seen(words: str) -> str:
    """Leave out what nobody would see, and what would be read in another order."""
    if words.isascii() and words.isprintable():
        return words
    return _UNSEEN.sub("", _LINE_ENDS.sub("\n", words))
