"""Post, then edit: the one state machine that shows a growing answer as chat messages.

The next edit begins only after the former completed; `RetryLater` is obeyed per reply; there is
exactly one final text, shown only after `Finished` was seen; parts that an earlier attempt posted
are edited, missing ones posted, surplus ones deleted.
"""

import asyncio
from collections.abc import AsyncIterator

from adapters.kit.bubbles import Bubbles, Manner
from adapters.kit.busy import Busy
from adapters.kit.draft import Draft
from adapters.kit.parts import Parts
from bot.domain.replies import Piece, Receipt
from bot.ports.platform import Outbox

__all__ = ["Bubbles", "Manner", "deliver"]


async def deliver(
    reply: AsyncIterator[Piece], bubbles: Bubbles, manner: Manner, outbox: Outbox
) -> Receipt:
    """Show a reply and return the ids of its messages, in order; without words there are none.

    Cancelling it closes the reply and leaves no task behind.

    Raises:
        Gone: the place is closed to the bot for good.
        Unreachable: the platform was silent for `give_up` seconds.
        DeliveryError: the reply ended without `Finished`; nothing final was shown.
    """
    parts = Parts(bubbles, manner, outbox)
    draft = Draft(reply)
    busy = Busy(bubbles.typing, after=manner.patience, every=manner.typing_every)
    try:
        await _show_growing(draft, parts, manner, busy)
        if not draft.finished:
            await draft.end()
        busy.stop()
        return await parts.conclude(draft.look(), draft.rewritten, draft.buttons)
    finally:
        await busy.close()
        await draft.close()


async def _show_growing(draft: Draft, parts: Parts, manner: Manner, busy: Busy) -> None:
    """Show the words as they come, until the end; without edits there is nothing to show."""
    clock = asyncio.get_running_loop().time
    if manner.placeholder:
        busy.stop()
        await parts.reserve()
    if not manner.edits:
        return
    await draft.changed()
    await draft.pause(max(parts.quiet, manner.patience))
    while not draft.ended:
        started = clock()
        complete = await parts.show(draft.look(), draft.rewritten)
        if complete:
            busy.stop()
        await draft.pause(max(parts.quiet, manner.interval - (clock() - started)))
        if complete:
            await draft.changed()
