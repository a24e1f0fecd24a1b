"""What the operator has written down: documents, their passages, and who may read them."""

from collections.abc import Collection as Names
from dataclasses import dataclass, field

from bot.domain.permissions import ROLES, Principal, at_least

LEARNED = "learned"  # the collection of answers that were taught in chat; they are found first
TAUGHT = "Learned in chat"  # what stands above each of them
CHAT = "chat:"  # before the keyed hash that is their source


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSettings:
    """Who may be quoted a collection's documents; without `readers` everybody who may talk."""

    readers: tuple[str, ...] = ()  # persons, `platform:place:@role`, or a role: "member" and above
    places: tuple[str, ...] = ()  # groups where it may be quoted, for all there read the answer


def readable(
    settings: CollectionSettings,
    principal: Principal,
    *,
    names: Names[str],
    places: Names[str],
    private: bool,
) -> bool:
    """Tell whether a collection may be quoted to somebody where they ask.

    In a group everybody reads the answer: a collection that has readers is quoted only in the
    groups that it names, and there too only to its readers.

    Args:
        settings: who may read it.
        principal: who asks.
        names: the person's name and those of the roles that the platform gives them there.
        places: the patterns that match the conversation.
        private: whether it is a direct message.
    """
    if principal.role == "blocked":
        return False
    kept = bool(settings.readers or settings.places)
    if kept and not private and not any(place in places for place in settings.places):
        return False
    return not settings.readers or any(
        reader in names or (reader in ROLES and at_least(principal.role, reader))
        for reader in settings.readers
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a document that can be quoted, and where it stands."""

    id: int
    document: int
    title: str  # of the document
    path: tuple[str, ...]  # headings from the top of the document down to this passage
    text: str = field(repr=False)
    source: str  # a file's name as people know it, or an address
    link: str = ""  # opens the source; empty: there is none that people could open
    score: float = 0.0  # how well it fits the question, 0 to 1

    @property
    def name(self) -> str:
        """The headings as one line, as people see them."""
        return " › ".join(self.path or (self.title,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What was found for one question; `sure` tells whether it answers it."""

    passages: tuple[Passage, ...] = ()  # best first
    sure: bool = False
    documents: int = 0  # how many this person could be quoted here; 0: there is no knowledge
