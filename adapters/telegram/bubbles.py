"""The messages of one reply in one chat: posting, editing, and plainer text where it is refused."""

import logging
from dataclasses import dataclass, field
from typing import Any, Self

from telegram.error import ChatMigrated

from adapters.telegram.account import Account
from adapters.telegram.markup import contents
from bot.domain.conversation import Address
from bot.domain.errors import DeliveryError, Unformattable

log = logging.getLogger(__name__)

NO_PREVIEW = {"is_disabled": True}  # a preview would fetch whatever address the model wrote
UNCHANGED = "message is not modified"
MISSING = ("message to edit not found", "message_id_invalid", "message can't be edited")
UNKNOWN = ("unknown method", "text is empty")  # said by a server from before rich messages


@dataclass(slots=True, kw_only=True)
class ChatBubbles:
    """See `adapters.kit.bubbles.Bubbles`."""

    account: Account
    chat: int
    private: bool
    first: dict[str, Any]  # further arguments of the first post: which message it answers
    place: dict[str, Any]  # further arguments of every post: the topic
    _refused: set[str] = field(default_factory=set)  # kinds of markup, in this reply

    @classmethod
    def of(cls, account: Account, to: Address) -> Self:
        """Read an address; in a private chat it is plain enough what is answered."""
        answers = {"message_id": int(to.answers or 0), "allow_sending_without_reply": True}
        thread = to.conversation.thread
        return cls(
            account=account,
            chat=int(to.conversation.channel),
            private=to.private,
            first={"reply_parameters": answers} if to.answers and not to.private else {},
            place={"message_thread_id": int(thread)} if thread else {},
        )

    async def post(self, index: int, shown: str, *, final: bool) -> str:  # noqa: ARG002
        """Send a message; returns its id."""
        args = {**self.place, **(self.first if index == 0 else {})}
        message = await self._show("sendMessage", shown, args)
        return str(message["message_id"])

    async def edit(self, id: str, shown: str, *, final: bool) -> None:  # noqa: ARG002
        """Replace a message's text; one that somebody took away stays away."""
        try:
            await self._show("editMessageText", shown, {"message_id": int(id)})
        except Unformattable as error:
            words = str(error).lower()
            if any(phrase in words for phrase in MISSING):
                log.info("telegram: message %s in chat %s is gone", id, self.chat)
            elif UNCHANGED not in words:
                raise DeliveryError(str(error)) from None

    async def delete(self, id: str) -> None:
        """Take a message away, if that is still possible."""
        try:
            await self._call("deleteMessage", {"message_id": int(id)})
        except Unformattable as error:
            log.info("telegram: message %s in chat %s was not deleted: %s", id, self.chat, error)

    async def find(self, index: int) -> str | None:  # noqa: ARG002
        """Find nothing: a bot cannot read a chat."""
        return None

    async def typing(self) -> None:
        """Show nothing: the placeholder says that the bot is busy."""

    async def _show(self, method: str, shown: str, args: dict[str, Any]) -> Any:
        """Try the best markup first; plain text, the last, is not tried again."""
        for kind, content in contents(shown, private=self.private):
            if kind in self._refused or kind in self.account.refused:
                continue
            try:
                if kind == "rich" and method == "sendMessage":
                    return await self._call("sendRichMessage", {**content, **args})
                preview = {"link_preview_options": NO_PREVIEW}
                return await self._call(method, {**content, **args, **preview})
            except Unformattable as error:
                if kind == "plain" or self._decided(str(error).lower()):
                    raise
                self._refuse(kind, str(error).lower())
        raise Unformattable("Telegram took no kind of markup")

    def _decided(self, words: str) -> bool:
        """Whether a refusal has nothing to do with the markup."""
        return UNCHANGED in words or any(phrase in words for phrase in MISSING)

    def _refuse(self, kind: str, words: str) -> None:
        self._refused.add(kind)
        if kind == "rich" and any(phrase in words for phrase in UNKNOWN):
            self.account.refused.add(kind)
        log.info(
            "telegram: %s markup was refused in chat %s; showing plainer text", kind, self.chat
        )

    async def _call(self, method: str, args: dict[str, Any]) -> Any:
        try:
            return await self.account.attempt(method, {"chat_id": self.chat, **args})
        except ChatMigrated as moved:  # the group became a supergroup, with another id
            self.chat = moved.new_chat_id
            return await self.account.attempt(method, {"chat_id": self.chat, **args})
