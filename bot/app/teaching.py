"""Learning in chat, put together: commands, files that are dropped, questions left open."""

import time

from bot.app.assembly import Assembly
from bot.app.clocks import SystemClock
from bot.app.files import library_doors
from bot.core.commands import Desk
from bot.core.commands.gaps import GapsCommand
from bot.core.commands.learning import LearningCommands
from bot.core.dropping import Dropping
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.keeping import Keeping
from bot.core.knowledge.teaching import Teaching
from bot.core.knowledge.unanswered import Grouping
from bot.core.turn import Answering


def learning(
    parts: Assembly, answering: Answering, desk: Desk, embedding: Embedding | None
) -> Dropping:
    """Let admins teach in chat, and see what was not answered."""
    store, doors = parts.store, library_doors(parts.config)
    teaching = Teaching(
        shelves=store.library,
        keeping=Keeping(shelves=store.library, reader=doors, clock=SystemClock()),
        readers=answering.grounding.readers,
        audit=store.people,
        who=parts.metering.identity.who,
        changed=embedding.changed if embedding else lambda: None,
        now=time.time,
        borrowed=store.borrows,
    )
    commands = LearningCommands(
        teaching=teaching, downloads=doors, most_bytes=parts.config.files.max_bytes
    )
    gaps = GapsCommand(
        gaps=store.gaps,
        grouping=Grouping(embedder=embedding.embedder if embedding else None),
        teaching=teaching,
        audit=store.people,
        journal=store.lanes,
        now=time.time,
    )
    desk.register((*commands.known(), *gaps.known()))
    return Dropping(
        teaching=teaching,
        attachments=answering.attachments,
        permissions=parts.permissions,
        announcing=parts.announcing,
        senders=parts.senders,
        journal=store.lanes,
    )
