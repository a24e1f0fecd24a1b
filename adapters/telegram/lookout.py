"""Whether the webhook still works, as Telegram sees it.

Our own server cannot know that a proxy is down, a certificate has expired or somebody else has
taken the webhook: updates merely stop. Telegram tells (core.telegram.org/bots/api#getwebhookinfo).
"""

from dataclasses import dataclass

from adapters.telegram.words import Plain

ELSEWHERE = (
    "the webhook of this bot was removed or points somewhere else; it is set again, but whoever "
    "else uses this token must stop"
)


@dataclass(slots=True)
class Lookout:
    """Compares each report on the webhook with the one before it."""

    url: str
    taken: int = 0  # updates that came since the last report
    _waiting: int = 0
    _failed_at: float | None = None  # by Telegram's clock; None before the first report

    def complaint(self, info: Plain) -> str:
        """Return what is wrong, in words for the operator; empty when all is well."""
        waiting, failed_at = info.get("pending_update_count", 0), info.get("last_error_date", 0)
        failed = self._failed_at is not None and failed_at > self._failed_at
        stuck = self._waiting and not self.taken
        self._waiting, self._failed_at, self.taken = waiting, failed_at, 0
        if info.get("url") != self.url:
            return ELSEWHERE
        if waiting and (failed or stuck):
            said = info.get("last_error_message") or "it does not say why"
            return f"Telegram cannot deliver to the webhook: {said}"
        return ""
