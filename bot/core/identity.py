"""The keyed hash under which people are known where their name must not stand."""

from dataclasses import dataclass, field

from bot.domain import identity


@dataclass(frozen=True, slots=True)
class Identity:
    """Hashes people with this installation's key (`Keys.key("people")`)."""

    key: bytes = field(repr=False)

    def who(self, person: str) -> str:
        """Return the hash of a person (`platform:workspace:user`)."""
        return identity.who(person, self.key)
