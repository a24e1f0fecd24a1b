"""The messages of one reply in one chat: posting, editing, and plainer text where it is refused.

A group that becomes a supergroup gets another id, numbers its messages anew, and nothing in the old
one can be changed any more: from then on posts go to the new one, and what should be edited in the
old one is written there anew. The ids of such messages name their chat: `-1001/7`.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from telegram.error import ChatMigrated

from adapters.telegram.account import Account
from adapters.telegram.markup import contents
from bot.domain.conversation import Address
from bot.domain.errors import DeliveryError, Unformattable
from bot.domain.replies import Button

log = logging.getLogger(__name__)

PLACEHOLDER = "…"
NO_PREVIEW = {"is_disabled": True}  # a preview would fetch whatever address the model wrote
UNCHANGED = "message is not modified"
MISSING = ("message to edit not found", "message_id_invalid", "message can't be edited")
UNKNOWN = ("unknown method", "text is empty")  # said by a server from before rich messages


@dataclass(slots=True, kw_only=True)
class ChatBubbles:
    """See `adapters.kit.bubbles.Bubbles`."""

    account: Account
    chat: int  # where the question was asked
    private: bool
    first: dict[str, Any]  # further arguments of the first post: which message it answers
    place: dict[str, Any]  # further arguments of every post: the topic
    _moved_to: int = 0  # the supergroup that the chat has become
    _anew: dict[str, str] = field(default_factory=dict)  # id in the old chat → id in the new one
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

    async def post(
        self,
        index: int,
        shown: str,
        *,
        final: bool,  # noqa: ARG002
        buttons: Sequence[Button] = (),
    ) -> str:
        """Send a message; returns its id."""
        below = keyboard(buttons)
        if not self._moved_to:
            try:
                return await self._post(index, shown, below)
            except ChatMigrated as moved:
                self._moved_to = moved.new_chat_id
        return await self._post_anew(shown, below)

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace a message's text and buttons; one that somebody took away stays away."""
        chat, message = self._home(self._anew.get(id, id))
        args = {"chat_id": chat, "message_id": message, **keyboard(buttons)}
        try:
            await self._show("editMessageText", shown, args)
        except ChatMigrated as moved:
            self._moved_to = moved.new_chat_id
            self._anew[id] = await self._post_anew(PLACEHOLDER, {})
            await self.edit(id, shown, final=final, buttons=buttons)
        except Unformattable as error:
            words = str(error).lower()
            if any(phrase in words for phrase in MISSING):
                log.info("telegram: message %s in chat %s is gone", id, self.chat)
            elif UNCHANGED not in words:
                raise DeliveryError(str(error)) from None

    async def delete(self, id: str) -> None:
        """Take a message away, if that is still possible: for 48 hours, in a chat that is there."""
        chat, message = self._home(self._anew.get(id, id))
        try:
            await self.account.attempt("deleteMessage", {"chat_id": chat, "message_id": message})
        except (Unformattable, ChatMigrated) as error:
            log.info("telegram: message %s in chat %s was not deleted: %s", id, self.chat, error)

    async def find(self, index: int) -> str | None:  # noqa: ARG002
        """Find nothing, since a bot cannot read a chat; but see that Telegram answers.

        Each post whose answer is lost leaves a lone placeholder: so while Telegram is silent
        nothing is posted again. Raises Unreachable then.
        """
        action = {"chat_id": self._moved_to or self.chat, "action": "typing", **self.place}
        with suppress(Unformattable, ChatMigrated):
            await self.account.attempt("sendChatAction", action)
        return None

    async def typing(self) -> None:
        """Show nothing: the placeholder says that the bot is busy."""

    async def _post(self, index: int, shown: str, below: dict[str, Any]) -> str:
        args = {"chat_id": self.chat, **self.place, **(self.first if index == 0 else {}), **below}
        return str((await self._show("sendMessage", shown, args))["message_id"])

    async def _post_anew(self, shown: str, below: dict[str, Any]) -> str:
        message = await self._show("sendMessage", shown, {"chat_id": self._moved_to, **below})
        return f"{self._moved_to}/{message['message_id']}"

    def _home(self, id: str) -> tuple[int, int]:
        chat, _, message = id.rpartition("/")
        return int(chat or self.chat), int(message)

    async def _show(self, method: str, shown: str, args: dict[str, Any]) -> Any:
        """Try the best markup first; plain text, the last, is not tried again."""
        for kind, content in contents(shown, private=self.private):
            if kind in self._refused or kind in self.account.refused:
                continue
            try:
                if kind == "rich" and method == "sendMessage":
                    return await self.account.attempt("sendRichMessage", {**content, **args})
                preview = {"link_preview_options": NO_PREVIEW}
                return await self.account.attempt(method, {**content, **args, **preview})
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


def keyboard(buttons: Sequence[Button]) -> dict[str, Any]:
    """Return the argument that shows buttons, a row for each; without it an edit removes them."""
    if not buttons:
        return {}
    rows = [[{"text": button.label, "callback_data": button.data}] for button in buttons]
    return {"reply_markup": {"inline_keyboard": rows}}
