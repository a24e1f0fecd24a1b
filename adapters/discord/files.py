"""Where Discord keeps files: at signed addresses that need no token and end after a day."""

from dataclasses import dataclass

from adapters.kit.files import hosts_of
from bot.domain.errors import FileRefused
from bot.domain.events import Attachment
from bot.ports.platform import Location

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")


@dataclass(frozen=True, slots=True)
class DiscordFiles:
    """The files of messages."""

    api_base_url: str

    async def locate(self, attachment: Attachment) -> Location:
        """See `bot.ports.platform.Files`; no headers are needed."""
        hosts = hosts_of(attachment.source, HOSTS, self.api_base_url)
        if not hosts:
            raise FileRefused("The file is not kept by Discord itself, so it is not fetched.")
        return Location(url=attachment.source, hosts=hosts)
