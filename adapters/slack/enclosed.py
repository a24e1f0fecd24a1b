"""What comes along with a message: files, and messages of other people that were shared."""

from adapters.kit import files as said
from adapters.slack.payloads import Payload, Reading, tables, text
from bot.domain.conversation import Person
from bot.domain.events import Attachment


def files(message: Payload) -> tuple[Attachment, ...]:
    """Return the files of a message that have a name; none of them is fetched."""
    return tuple(
        Attachment(
            name=name,
            type=text(file, "mimetype"),
            size=said.size(file.get("size")),
            source=text(file, "url_private_download") or text(file, "url_private"),
        )
        for file in tables(message, "files")
        if (name := text(file, "name") or text(file, "title"))
    )


def quoted(reading: Reading, sharer: Person) -> tuple[str, str]:
    """Return the words of shared messages and who said them, when that is one person.

    The bot's own words count as those of who shares them.
    """
    shared = [
        (words, _author(reading, part, sharer))
        for part in tables(reading.event, "attachments")
        if part.get("is_share") is True and (words := reading.words(part))
    ]
    authors = {author for _, author in shared}
    return "\n".join(words for words, _ in shared), authors.pop() if len(authors) == 1 else ""


def _author(reading: Reading, part: Payload, sharer: Person) -> str:
    """Name who wrote a shared message by the workspace that it was written in."""
    user, bot = text(part, "author_id"), text(part, "bot_id")
    if reading.ours({"user": user, "bot_id": bot}):
        return str(sharer)
    return str(reading.person(user or bot, team=text(part, "channel_team"))) if user or bot else ""
