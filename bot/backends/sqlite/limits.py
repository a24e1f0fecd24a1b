"""Which lanes a place covers, as the two limits of `lane = ?1 or (lane > ?1 and lane < ?2)`."""

from bot.domain.conversation import Conversation


def limits(place: Conversation, *, threads: bool) -> tuple[str, str]:
    """Return the limits of one conversation; with `threads` also of those below a channel.

    The threads of a channel lie right behind it: `;` follows `:`.
    """
    lane = str(place)
    return (lane, f"{lane[:-1]};") if threads and not place.thread else (lane, lane)
