"""Where Slack keeps files: on a host of its own, behind the bot's token.

The address comes with a message, so it is not trusted: a token that went to another host would be
lost (https://docs.slack.dev/reference/objects/file-object). Files that Slack only links to, as
those of an online drive, lie elsewhere and are not fetched.
"""

from dataclasses import dataclass, field

from adapters.kit.files import hosts_of
from bot.domain.errors import FileRefused
from bot.domain.events import Attachment
from bot.ports.platform import Location

HOSTS = ("files.slack.com", "files.slack-gov.com")


@dataclass(frozen=True, slots=True)
class SlackFiles:
    """The files that one bot token opens."""

    base_url: str
    token: str = field(repr=False)

    async def locate(self, attachment: Attachment) -> Location:
        """See `bot.ports.platform.Files`."""
        hosts = hosts_of(attachment.source, HOSTS, self.base_url)
        if not hosts:
            raise FileRefused("The file is not kept by Slack itself, so it is not fetched.")
        return Location(
            url=attachment.source, hosts=hosts, headers={"Authorization": f"Bearer {self.token}"}
        )
