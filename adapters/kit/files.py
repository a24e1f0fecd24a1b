"""What platforms say about files: read without trust, and addresses that may be given a token."""

from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})  # hosts that may be spoken to in the clear
LARGEST = 1 << 53  # bytes; no file has more, and every store can carry it


def size(said: object) -> int:
    """Return a number of bytes, 0 for everything that is none."""
    return said if type(said) is int and 0 < said < LARGEST else 0


def hosts_of(url: str, hosts: tuple[str, ...], base_url: str) -> tuple[str, ...]:
    """Return the hosts that may be shown a token for a file; none unless it surely lies on one.

    Args:
        url: where the file is said to be.
        hosts: where the platform keeps files.
        base_url: the platform's API; one that runs on this machine keeps its files itself.
    """
    parts, base = _unmistakable(url), urlsplit(base_url)
    if parts is None:
        return ()
    if base.hostname in LOOPBACK:
        same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        return (base.hostname,) if same else ()
    ours = parts.scheme == "https" and parts.port in (None, 443) and parts.hostname in hosts
    return hosts if ours else ()


def _unmistakable(url: str) -> SplitResult | None:
    """Take an address apart; None for one that another parser may read differently.

    That may be so with a name or password, a backslash, spaces and control characters; no platform
    sends such addresses.
    """
    if "\\" in url or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError:
        return None
    return None if "@" in parts.netloc else parts
