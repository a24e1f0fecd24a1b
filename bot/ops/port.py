"""The port of health and metrics, taken before anything else is begun."""

import errno
import logging
import socket
from importlib.util import find_spec
from ipaddress import ip_address

from bot.domain.errors import ConfigError

log = logging.getLogger(__name__)
NEEDED = ("aiohttp", "prometheus_client")


def taken(host: str, port: int) -> socket.socket:
    """Listen on a port; whoever connects waits until somebody accepts.

    Raises:
        ConfigError: the port is taken, the address is not this machine's, a package is missing.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ConfigError(
            f"http.port: needs {' and '.join(missing)}; `pip install 'parley-bot[http]'`, "
            "or set port = 0"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 < port < 65536:
        raise ConfigError(f"http.port: {port} is no port; choose one up to 65535, or 0 for none")
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"http.port: {_reason(host, port, error)}") from error
    if not _is_loopback(host):
        log.warning("health and metrics are open to the network on %s, port %s", host, port)
    return listener


def _reason(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{port} is taken by another program; choose another port, or 0 for none"
        case errno.EACCES:
            return f"{port} is for root only; choose one above 1023"
    return f"cannot listen on {host}, port {port} ({error.strerror}); check http.host"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
