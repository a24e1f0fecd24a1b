"""Where an answer has a link, and whether it may be one.

What anything could take for a link is found, in the loosest reading; whether it may stay one is
judged in the strictest: letters, digits and dots before the path, and no odd signs in it.
"""

import re

from bot.domain.outgoing import OutgoingPolicy

_SLASHES = r"(?:\\?[/\\]){2}"
_LABEL = r"(?:[\w-]+\\?\.)"
_TOP = r"(?:[^\W\d_]{2,24}|xn--[\w-]{1,59})"
_SCHEMES = (
    "javascript|vbscript|data|mailto|tel|sms|tg|slack|discord|file|blob|ftp|magnet|intent|market"
    "|skype|facetime|steam|zoommtg|msteams|vscode|ms-[a-z]+|view-source|about"
)
_LINK = re.compile(
    rf"[a-z][a-z0-9+.-]{{0,30}}\\?:{_SLASHES}"
    rf"|(?<![a-z])(?:{_SCHEMES})\\?:(?=\S)"
    r"|www\\?\.(?=\S)"
    rf"|{_SLASHES}[^\s/\\.]{{1,99}}\\?\.\S"
    r"|[^\s@/]{1,64}@[\w.-]{1,253}(?::\d{1,5})?[/?#\\]\S"
    rf"|(?<![\w@.-]){_LABEL}+{_TOP}(?::\d{{1,5}})?[/?#\\]\S"
    rf"|(?<![\w@.-]){_LABEL}{{2,}}{_TOP}(?!\\?\.?[\w@-])"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?[/?#\\]\S",
    re.IGNORECASE,
)
_STRICT = re.compile(
    r"(?:[Hh][Tt][Tt][Pp][Ss]?://)?((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63})\.?(?::[0-9]{1,5})?"
    r"((?:[/?#][\w.~:/?#@!$&'()*+,;=%-]*)?)"  # no sign at which a reader might end the link
)
_TRAILING = ".,;:!?'\"*_~}…”’»"


class Links:
    """Knows which hosts a link may lead to."""

    def __init__(self, policy: OutgoingPolicy) -> None:
        hosts = {host.lower().removeprefix("*.").strip(".") for host in policy.hosts}
        self._hosts = tuple(sorted(hosts - {""}))
        self._all = policy.links == "all"

    def allow(self, url: str) -> bool:
        """Tell whether a link may stay one."""
        parts = _STRICT.fullmatch(url)
        if not parts or "://" in parts[2]:
            return False
        host = parts[1].lower()
        return self._all or any(
            host == known or host.endswith(f".{known}") for known in self._hosts
        )


def begin(word: str) -> int:
    """Return where something that may be taken for a link begins, or -1."""
    found = _LINK.search(word)
    return found.start() if found else -1


def end(url: str) -> int:
    """Return where a link ends: punctuation of the sentence is no part of it."""
    stop = len(url)
    while stop:
        last = url[stop - 1]
        unopened = last == ")" and url.count(")", 0, stop) > url.count("(", 0, stop)
        if last not in _TRAILING and not unopened:
            break
        stop -= 1
    return stop
