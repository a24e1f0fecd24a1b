"""Buttons that only do what they were made for: sealed, for one person if need be, for a while.

A press comes back from outside with whatever action and value somebody sent. The seal binds both to
the person and to an end, so that a button can neither be forged, nor kept, nor pressed by another.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core import sentences
from bot.domain.errors import Declined
from bot.domain.events import Pressed
from bot.domain.replies import Button

SEAL_BYTES = 9
DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """Makes buttons and reads presses."""

    key: bytes = field(repr=False)
    now: Callable[[], float]  # seconds since 1970

    def make(
        self, label: str, action: str, value: str, *, person: str = "", valid_s: float = DAY
    ) -> Button:
        """Make a button for one person, or, without one, for whoever may do what it does."""
        end = format(int(self.now() + valid_s), "x")
        sealed = f"{value}.{end}.{self._seal(action, value, end, person)}"
        return Button(label=label, action=action, value=sealed)

    def read(self, event: Pressed) -> str:
        """Return the value of a pressed button.

        Raises:
            Declined: it is not ours, is for somebody else, or has expired.
        """
        value, end, seal = [*event.value.rsplit(".", 2), "", ""][:3]
        good = any(
            hmac.compare_digest(seal, self._seal(event.action, value, end, person))
            for person in (str(event.author), "")
        )
        if not good:
            raise Declined(sentences.NOT_YOUR_BUTTON)
        if int(end, 16) < self.now():
            raise Declined(sentences.OLD_BUTTON)
        return value

    def _seal(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "replace")
        digest = hashlib.blake2s(text, key=self.key, digest_size=SEAL_BYTES).digest()
        return base64.urlsafe_b64encode(digest).decode()
