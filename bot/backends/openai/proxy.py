"""The proxy between a server and this machine, if there is one."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from bot.backends.openai.settings import host_of, loopback, shown
from bot.domain.errors import ConfigError


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for an address, never one for this machine.

    Raises:
        ConfigError: it is of a kind that cannot be used; going without it would be no service.
    """
    host = host_of(url)
    if loopback(host) or proxy_bypass(host):
        return None
    known = getproxies()
    proxy = known.get(urlsplit(url).scheme) or known.get("all")
    if proxy and not proxy.startswith(("http://", "https://")):
        raise ConfigError(
            f"the proxy {shown(proxy)} for {host} cannot be used; name one that begins with "
            "http:// in HTTPS_PROXY, or leave the host out with NO_PROXY"
        )
    return proxy
