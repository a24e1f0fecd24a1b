"""Who administers a group: `creator` or `administrator`, asked for once per group and a while.

Telegram tells it with no message but those of anonymous administrators. In private chats nobody has
a role. https://core.telegram.org/bots/api#getchatadministrators
"""

from dataclasses import dataclass, field

from telegram.error import ChatMigrated

from adapters.kit.roles import Lately, Roles
from adapters.telegram.account import Account
from bot.domain.conversation import Conversation, Person
from bot.domain.errors import DeliveryError

_RANKS = ("creator", "administrator")


@dataclass(slots=True)
class TelegramRoles:
    """Asks about groups; what was answered lately is not asked again."""

    account: Account
    groups: Lately = field(init=False)

    def __post_init__(self) -> None:
        self.groups = Lately(self._administrators)

    async def of(self, person: Person, place: Conversation) -> tuple[str, ...]:
        """Return somebody's roles in a group; none while Telegram does not say."""
        private = not place.channel.startswith("-")  # only groups have such ids
        if private or person.user.startswith("-"):  # a chat that speaks: its roles are told
            return ()
        return await self.groups.of(person.user, place.channel) or ()

    async def close(self) -> None:
        """Give up what is still open."""
        await self.groups.close()

    async def _administrators(self, chat: str) -> Roles:
        try:
            members = await self.account.attempt("getChatAdministrators", {"chat_id": int(chat)})
            return {
                str(int(member["user"]["id"])): (member["status"],)
                for member in members
                if member["status"] in _RANKS
            }
        except ChatMigrated:
            raise DeliveryError("a Telegram group has moved") from None
        except (LookupError, TypeError, ValueError):
            raise DeliveryError("Telegram describes administrators in an unknown way") from None
