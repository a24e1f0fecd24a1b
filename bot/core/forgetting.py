"""Forgetting a person: in the store, in what runs, and in what is kept in memory.

It is asked for in chat and by the operator. Killed in the middle it is finished by the next start;
done twice it does no harm.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.core.draft import Draft
from bot.core.handover import Handing
from bot.core.identity import Identity
from bot.core.memory import Recall
from bot.core.notice import FirstContact
from bot.core.permissions import Permissions
from bot.domain.events import Event
from bot.ports.people import Audit, Record
from bot.ports.privacy import Forgotten, Privacy

log = logging.getLogger(__name__)
PATIENCE_S = 5.0  # for answers that are being written with the person's words in sight


@dataclass(slots=True, kw_only=True)
class Forgetting:
    """Deletes what is known of a person, wherever it is."""

    privacy: Privacy
    identity: Identity
    drafts: Mapping[str, Draft]  # answers that are being written, by lane
    recall: Recall
    permissions: Permissions
    notice: FirstContact
    handing: Handing
    audit: Audit
    now: Callable[[], float]  # seconds since 1970
    _erased: dict[str, float] = field(default_factory=dict)  # keyed hash → until when

    async def load(self) -> None:
        """Read who was forgotten."""
        self._erased = dict(await self.privacy.erased())

    def came_back(self, event: Event) -> bool:
        """Tell whether somebody wrote this before they were forgotten, as when it is read back."""
        author = getattr(event, "author", None) if self._erased else None
        return author is not None and event.at < self._erased.get(
            self.identity.who(str(author)), 0.0
        )

    async def forget(
        self, person: str, *, at: float | None = None, spare: int = 0, by: str = "parley"
    ) -> Forgotten:
        """Forget what a person (`platform:workspace:user`) wrote before `at`, now if it is None.

        `spare` is the turn that asks for it, `by` whoever does when it is not the person.

        Raises:
            StoreError: it could not be noted; nothing was deleted.
        """
        name, asked = self.identity.who(person), self.now() if at is None else at
        await self.handing.forget(person)
        counts = await self.privacy.erase(person, at=asked, spare=spare)
        await self.load()
        for draft in self.drafts.values():
            if str(getattr(draft.turn.event, "author", "")) == person:
                draft.forget()
        self.recall.forget()
        self.notice.forget(name)
        await self.permissions.load()
        actor = name if by == person else by
        await self.audit.note(Record(at=self.now(), actor=actor, action="forget", subject=name))
        complete = await self.privacy.scour(patience_s=PATIENCE_S)
        log.info("somebody was forgotten, %s", "to the last byte" if complete else "almost")
        return Forgotten(counts=counts, complete=complete)
