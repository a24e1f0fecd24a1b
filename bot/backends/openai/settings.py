"""The settings of one model on an OpenAI-compatible server, and what can be wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

NO_SCHEME = (
    "base_url: does not begin with https://host; write it like https://host:8000/v1, on this "
    "machine also http://127.0.0.1:11434/v1"
)
IN_CLEAR = (
    "base_url: http:// would send the key and what people write in clear to {host}; use https://, "
    "or an address of this machine like http://127.0.0.1:11434/v1"
)
OFFICIAL = "https://api.openai.com/v1"
OFFICIAL_HOST = "api.openai.com"

Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh"]
LookUp = Callable[[str], str | None]
"""Variable name → value, or None when it is not set: `os.environ.get`, or one that knows files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAISettings:
    """One model on one server, as the table `models.<name>` describes it."""

    base_url: str = ""  # up to and with /v1; empty: OPENAI_BASE_URL, else OpenAI itself
    api_key_env: str = "OPENAI_API_KEY"
    model: str
    max_output_tokens: int | None = None
    temperature: float | None = None
    effort: Effort = ""  # how long a reasoning model thinks; empty: as its server likes
    timeout_s: float = 60.0  # of silence: until the first words, and between words
    vision: bool = False  # it is shown pictures
    context_tokens: int | None = None  # what fits into one call, answer included
    dimensions: int | None = None  # numbers of a vector, for knowledge.embedder
    price_input: float = 0.0  # USD per million tokens
    price_output: float = 0.0
    price_minute: float = 0.0  # USD per minute of a recording that it writes down


def address(settings: OpenAISettings, look_up: LookUp) -> str:
    """Return the base URL that holds: from the settings, the environment, or OpenAI's own."""
    return settings.base_url or look_up("OPENAI_BASE_URL") or OFFICIAL


def vectors_name(settings: OpenAISettings) -> str:
    """Return the name of the vectors that a model makes."""
    size = f"/{settings.dimensions}" if settings.dimensions else ""
    return f"openai:{settings.model}{size}"


def host_of(url: str) -> str:
    """Return the host of a URL; empty when it cannot be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def shown(url: str) -> str:
    """Return a URL that may be shown and logged: without user, password and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def problems(settings: OpenAISettings) -> list[str]:
    """Return one line per problem, `key: what is wrong; what to do`; none when all is well."""
    found = url_problems(settings.base_url) if settings.base_url else []
    if not settings.model.strip():
        found.append("model: is empty; name the model as its server does")
    if not settings.api_key_env:
        found.append("api_key_env: is empty; name the variable that holds the key")
    if settings.timeout_s <= 0:
        found.append(f"timeout_s: {settings.timeout_s:g} is not above 0; 60 is usual")
    if settings.temperature is not None and not 0 <= settings.temperature <= 2:
        found.append(f"temperature: {settings.temperature:g} is not between 0 and 2")
    return found + _size_problems(settings)


def url_problems(url: str) -> list[str]:
    """Return what is wrong with a base URL: plain http is for this machine only."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ["base_url: cannot be read; write it like https://host:8000/v1"]
    if parts.scheme not in ("http", "https") or not host:
        return [NO_SCHEME]
    if parts.username or parts.password:
        return ["base_url: contains a password; put the key into the variable of api_key_env"]
    if parts.scheme == "http" and not loopback(host):
        return [IN_CLEAR.format(host=host)]
    return []


def loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _size_problems(settings: OpenAISettings) -> list[str]:
    counts = {
        "max_output_tokens": settings.max_output_tokens,
        "context_tokens": settings.context_tokens,
        "dimensions": settings.dimensions,
    }
    prices = {"price_input": settings.price_input, "price_output": settings.price_output,
              "price_minute": settings.price_minute}  # fmt: skip
    found = [
        f"{key}: {count} is not above 0; leave it out for the server's own"
        for key, count in counts.items()
        if count is not None and count <= 0
    ]
    return found + [
        f"{key}: {price:g} is below 0; write USD" for key, price in prices.items() if price < 0
    ]
