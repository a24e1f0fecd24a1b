"""The single messages of one reply: in a channel, or as the answer to an interaction.

Nothing that is sent pings anybody or unfurls a link: every call carries `SILENT` and the flag
SUPPRESS_EMBEDS. https://discord.com/developers/docs/resources/message#create-message.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from adapters.discord.interactions import EPHEMERAL
from adapters.discord.markup import render
from adapters.discord.session import Refused, Session
from bot.domain.conversation import Address
from bot.domain.errors import DeliveryError, Gone
from bot.domain.replies import Button

_log = logging.getLogger(__name__)
SILENT: Final[dict[str, Any]] = {"parse": [], "replied_user": False}
SUPPRESS_EMBEDS: Final = 1 << 2
# No second notification for the rest of an answer, and its sign when a channel is read back.
CONTINUES: Final = 1 << 12  # SUPPRESS_NOTIFICATIONS
_PAGE: Final = 100  # the most messages that Discord returns
_MESSAGES: Final = "/channels/{channel_id}/messages"
_MESSAGE: Final = "/channels/{channel_id}/messages/{message_id}"
_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"
_UNKNOWN_MESSAGE: Final = 10008
_ROW, _BUTTON, _SECONDARY, _IN_A_ROW = 1, 2, 2, 5  # kinds of components, a style, the most buttons
_EXPIRED: Final = (10015, 50027)  # unknown webhook, invalid webhook token


@dataclass(slots=True)
class ChannelBubbles:
    """Messages in a channel, a thread or a direct conversation."""

    session: Session
    to: Address
    me: str

    async def post(
        self, index: int, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Send one message, or find that Discord has it already.

        The nonce names turn and index, so a repeated call returns the first message for some
        minutes, with the text that it had then.
        """
        body = _body(render(shown), buttons)
        if self.to.key:
            body |= {"nonce": _nonce(f"{self.to.key}:{index}"), "enforce_nonce": True}
        if index > 0:
            body["flags"] |= CONTINUES
        elif self.to.answers:  # in direct messages too: `find` knows an answer by it
            body["message_reference"] = {
                "message_id": self.to.answers,
                "fail_if_not_exists": False,
            }
        message = await self._post(body)
        bare = bool(buttons) and not message.get("components")
        if bare or message["content"].strip() != body["content"].strip():
            await self.edit(message["id"], shown, final=final, buttons=buttons)
        return str(message["id"])

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace the text; when somebody deleted the message, the final text is posted anew."""
        body = _body(render(shown), buttons)
        try:
            await self._call("PATCH", _MESSAGE, json=body, message_id=id)
        except Refused as refusal:
            if refusal.code != _UNKNOWN_MESSAGE:
                raise
            if final:
                await self._post({**body, "nonce": _nonce(id), "enforce_nonce": True})

    async def delete(self, id: str) -> None:
        """Take a message away."""
        try:
            await self._call("DELETE", _MESSAGE, message_id=id)
        except Refused as refusal:
            if refusal.code != _UNKNOWN_MESSAGE:
                raise

    async def find(self, index: int) -> str | None:
        """Look for a message of an earlier attempt, for when Discord has forgotten the nonce.

        It is known by its nonce, where Discord tells it, or as number `index` of the last run that
        begins with a reply to the question and goes on with messages marked `CONTINUES`: a question
        that is answered again has several. What answers no message has nothing to be known by, and
        where several replies answer the same one, each is known by its nonce alone.
        """
        if not self.to.answers:
            return None
        wanted = _nonce(f"{self.to.key}:{index}")
        run: list[str] = []
        ended = True
        try:
            async for message in self._ours_since(self.to.answers):
                if message.get("nonce") == wanted:
                    return str(message["id"])
                if self.to.several:
                    continue
                answered = (message.get("message_reference") or {}).get("message_id")
                if answered:
                    ended = answered != self.to.answers
                    run = run if ended else [message["id"]]
                elif not ended and message.get("flags", 0) & CONTINUES:
                    run.append(message["id"])
        except Refused:  # not permitted to read back
            return None
        return run[index] if index < len(run) else None

    async def typing(self) -> None:
        """Show "… is typing" for ten seconds."""
        with suppress(DeliveryError):
            await self._call("POST", "/channels/{channel_id}/typing")

    async def _ours_since(self, after: str) -> AsyncIterator[dict[str, Any]]:
        """Walk over the bot's own messages that are newer than one, up to the present."""
        while True:
            page = await self._call("GET", _MESSAGES, params={"after": after, "limit": _PAGE})
            page.sort(key=lambda message: int(message["id"]))
            for message in page:
                if message["author"]["id"] == self.me:
                    yield message
            if len(page) < _PAGE:
                return
            after = page[-1]["id"]

    async def _post(self, body: dict[str, Any]) -> Any:
        return await self._call("POST", _MESSAGES, json=body)

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        place = self.to.conversation
        return await self.session.call(
            method, path, channel_id=place.thread or place.channel, **more
        )


@dataclass(slots=True)
class InteractionBubbles:
    """The answer to a command or a button: the deferred message first, follow-ups after it.

    The way back works for 15 minutes; when it is closed, what need not be private goes to the
    channel. `reply_via` is "application/token", with "/followup" where nothing was promised.
    """

    session: Session
    to: Address
    channel: ChannelBubbles
    _open: bool = True

    async def post(
        self, index: int, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> str:
        """Fill the deferred message, or add one, for the asker alone."""
        if self._open:
            try:
                return await self._answer(index, _body(render(shown), buttons))
            except Refused as refusal:
                self._give_up(refusal)
        return await self.channel.post(index, shown, final=final, buttons=buttons)

    async def edit(
        self, id: str, shown: str, *, final: bool, buttons: Sequence[Button] = ()
    ) -> None:
        """Replace the text of one of them."""
        if self._open:
            body = _body(render(shown), buttons)
            await self._call("PATCH", "/messages/{message_id}", json=body, message_id=id)
        else:
            await self.channel.edit(id, shown, final=final, buttons=buttons)

    async def delete(self, id: str) -> None:
        """Take one of them away."""
        if self._open:
            await self._call("DELETE", "/messages/{message_id}", message_id=id)
        else:
            await self.channel.delete(id)

    async def find(self, index: int) -> str | None:  # noqa: ARG002 - the port's shape
        """Return None: to fill the deferred message again changes nothing."""
        return None

    async def typing(self) -> None:
        """Show nothing more: Discord says "… is thinking" by itself."""

    async def _answer(self, index: int, body: dict[str, Any]) -> str:
        if pending := self.session.deferrals.get(self.to.reply_via):
            await pending
        if index == 0 and not self.to.reply_via.endswith("/followup"):
            message = await self._call("PATCH", "/messages/@original", json=body)
        else:
            body["flags"] |= EPHEMERAL
            message = await self._call("POST", "", json=body, params={"wait": "true"})
        return str(message["id"])

    def _give_up(self, refusal: Refused) -> None:
        if refusal.code not in _EXPIRED:
            raise refusal
        if self.to.hidden:
            raise Gone("the way back of a private answer has expired") from refusal
        _log.info("discord: the way back of an interaction has expired; the channel is used")
        self._open = False

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        application, token = self.to.reply_via.split("/")[:2]
        path = _WEBHOOK + path
        return await self.session.call(
            method, path, webhook_id=application, webhook_token=token, **more
        )


def _body(content: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Return all that a message shows.

    An edit without `components` would leave old buttons there, and after a restart nobody knows of
    them: so every call says which there are.
    """
    return {
        "content": content,
        "components": rows(buttons),
        "allowed_mentions": SILENT,
        "flags": SUPPRESS_EMBEDS,
    }


def rows(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Return buttons as rows of components, as many in each as Discord takes."""
    shown = [
        {"type": _BUTTON, "style": _SECONDARY, "label": button.label, "custom_id": button.data}
        for button in buttons
    ]
    starts = range(0, len(shown), _IN_A_ROW)
    return [{"type": _ROW, "components": shown[at : at + _IN_A_ROW]} for at in starts]


def _nonce(name: str) -> str:
    """Return 24 characters, of the 25 that a nonce may have."""
    return blake2b(name.encode(), digest_size=12).hexdigest()
