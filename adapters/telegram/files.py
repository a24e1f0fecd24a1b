"""Where Telegram keeps files: at an address that holds the bot's token, so it is a secret.

Bots may fetch files of up to 20 MB (https://core.telegram.org/bots/api#getfile).
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from telegram.error import ChatMigrated

from adapters.telegram.account import Account
from bot.domain.errors import FileRefused, Gone, Unformattable
from bot.domain.events import Attachment
from bot.ports.platform import Location

_REFUSED = "Telegram does not give the file to a bot; it gives those of up to 20 MB."


@dataclass(frozen=True, slots=True)
class TelegramFiles:
    """The files of messages, asked for one by one."""

    account: Account

    async def locate(self, attachment: Attachment) -> Location:
        """See `bot.ports.platform.Files`."""
        path = await self._path(attachment.source) if attachment.source else ""
        if not path or path.startswith("/"):  # of a server that keeps files on its own disk
            raise FileRefused(_REFUSED)
        base = self.account.bot.base_file_url  # with the token
        host = urlsplit(base).hostname or ""
        return Location(url=f"{base}/{quote(path)}", hosts=(host,))

    async def _path(self, file: str) -> str:
        try:
            found = await self.account.attempt("getFile", {"file_id": file})
        except (ChatMigrated, Gone, Unformattable):
            raise FileRefused(_REFUSED) from None
        return str(found.get("file_path") or "")
