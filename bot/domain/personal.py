"""Personal data that has a shape: addresses, account and phone numbers, secrets.

A pattern finds candidates; `fit` decides by checksum or by rule how much of one is the real thing.
Order numbers, dates, prices, versions and book numbers stay what they are.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from bot.domain.secrets import PEM, TOKENS

SECRET = "SECRET"  # noqa: S105 - the name of a kind


def _whole(candidate: str) -> str:
    return candidate


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data."""

    name: str
    pattern: re.Pattern[str]
    fit: Callable[[str], str] = _whole  # the part of a candidate that is it, or nothing

    def find(self, text: str) -> Iterator[str]:
        """Yield each occurrence."""
        return (found for each in self.pattern.finditer(text) if (found := self.fit(each[0])))


def _address(candidate: str) -> str:
    """Take what is an internet address, unless it says no more than "this machine"."""
    try:
        address = ip_address(candidate)
    except ValueError:
        return ""
    return "" if address.is_loopback or address.is_unspecified else candidate


def _iban(candidate: str) -> str:
    """Take the longest run of groups whose checksum is right: a word may follow the number."""
    while len(candidate) >= 15:
        account = candidate.replace(" ", "").upper()
        digits = "".join(str(int(sign, 36)) for sign in account[4:] + account[:4])
        if len(account) <= 34 and int(digits) % 97 == 1:
            return candidate
        candidate = candidate.rpartition(" ")[0]
    return ""


_CARD_LENGTHS = {
    "2": (16,),
    "3": (14, 15, 16),
    "4": (13, 16, 19),
    "5": (16,),
    "6": (16, 17, 18, 19),
}


def _card(candidate: str) -> str:
    """Take what begins like a card and has Luhn's check digit."""
    digits = re.sub("[ -]", "", candidate)
    if len(digits) not in _CARD_LENGTHS.get(digits[0], ()):
        return ""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    total = sum(doubled) + sum(int(digit) for digit in digits[-1::-2])
    return candidate if total % 10 == 0 else ""


_HEX = "[0-9A-Fa-f]{0,4}"
KINDS = (
    Kind(SECRET, PEM),
    Kind(SECRET, TOKENS),
    Kind("EMAIL", re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_][\w-]*")),
    Kind(
        "IBAN",
        re.compile(
            r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)",
            re.ASCII | re.IGNORECASE,
        ),
        _iban,
    ),
    Kind(
        "IP",
        re.compile(
            r"(?<![\w.])(?<!version )(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)"
            rf"|(?<![\w:.])(?={_HEX}:{_HEX}:{_HEX}:)(?:{_HEX}:){{2,7}}{_HEX}(?![\w:]|\.\w)",
            re.ASCII | re.IGNORECASE,
        ),
        _address,
    ),
    Kind("CARD", re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)", re.ASCII), _card),
    Kind(
        "PHONE",
        re.compile(
            r"(?<![\w+])(?:\+|(?<!\d )00)[1-9](?:[ ().\-/]{0,2}\d){7,13}(?!\w)"  # international
            r"|(?<![\w.-])(?<!\d )(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?![\w-])"
            r"|(?<![\w.-])(?<!\d )(?:\(0[1-9]\d{0,3}\) ?|0[1-9]\d{0,3}[ /-])"
            r"\d{3,8}(?:[ -]\d{2,6}){0,3}(?![\w-])"
            r"|(?<![\w.-])(?<!\d )0[1-9](?:[ .-]\d\d){4}(?![\w-])"  # in pairs
            r"|(?<!ISBN )(?<!ISBN: )(?<![\w.-])0[1-9]\d{8,10}(?![\w-])",  # national, in one piece
            re.ASCII,
        ),
        lambda candidate: candidate if sum(map(str.isdigit, candidate)) >= 8 else "",
    ),
)  # the narrow before the wide: a card's digits would make a phone number too
