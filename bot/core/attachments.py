"""Opens the files of a message: finds, fetches and reads them, once for each turn.

It is done for people who may talk and have something left to spend. Recordings are written down
where a model for that is configured. Texts are journaled, so a resumed turn reads nothing again and
pays for no recording twice. Pictures are not kept anywhere; a turn that is resumed before its
answer was stored fetches them again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from bot.core import sentences
from bot.core.ears import SOUNDS, Ears
from bot.core.journal import TurnJournal, reference_of
from bot.domain.attachments import TYPES, FileSettings, Opened
from bot.domain.dialogue import Image
from bot.domain.errors import DeliveryError, FileRefused
from bot.domain.events import Attachment, MessageReceived
from bot.domain.policy import Policy
from bot.domain.text import safe_name
from bot.ports.files import Downloaded, Downloads, Reader, Wanted
from bot.ports.platform import Files

AT_ONCE = 4  # files in memory, over all conversations
SECONDS = 60.0  # for all files of one message
PICTURES = 20_000_000  # bytes of all pictures of one message
PAGES = (".htm", ".html")
MOST_PER_TOKEN = 8  # characters: more than texts of any language have on average


@dataclass(slots=True, kw_only=True)
class Room:
    """What is left for the files of one message: no more is kept than a prompt could take."""

    characters: int
    pictures: int = PICTURES

    def fitted(self, file: Opened) -> Opened:
        """Take the room for a file; what has none is cut or refused, and says so."""
        if file.image:
            self.pictures -= len(file.image.data)
            if self.pictures < 0:
                return replace(file, image=None, refused=sentences.LARGE_PICTURES)
        kept = file.text[: self.characters]
        self.characters -= len(kept)
        if kept == file.text:
            return file
        if not kept:
            return replace(file, text="", note="", refused=sentences.FULL_FILE)
        return replace(file, text=kept, note=f"{file.note} {sentences.CUT_FILE}".strip())


@dataclass(slots=True, kw_only=True)
class Attachments:
    """Opens what came with messages."""

    settings: FileSettings
    files: Mapping[str, Files]  # by platform
    downloads: Downloads
    reader: Reader
    ears: Ears | None = None
    seeing: frozenset[str] = frozenset()  # models that are shown pictures
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def opened(
        self, event: MessageReceived, journal: TurnJournal, policy: Policy, *, pictures: bool
    ) -> tuple[Opened, ...]:
        """Return each file with what it says, or with one sentence why it cannot be opened."""
        most = self.settings.max_files
        found: list[Opened] = []
        deadline = asyncio.get_running_loop().time() + SECONDS
        room = Room(characters=policy.memory.max_tokens * MOST_PER_TOKEN)
        for file in event.attachments[:most]:
            try:
                async with asyncio.timeout_at(deadline), self.turns:
                    one = await self._opened(file, event, journal, pictures=pictures)
            except TimeoutError:
                one = _refused(file, sentences.SLOW_FILE)
            found.append(room.fitted(one))
        journal.open(
            {_key(file): asdict(one) for file, one in zip(event.attachments, found, strict=False)
             if not one.image}
        )  # fmt: skip
        left = sentences.MANY_FILES.format(most=most)
        return (*found, *(_refused(file, left) for file in event.attachments[most:]))

    async def _opened(
        self, file: Attachment, event: MessageReceived, journal: TurnJournal, *, pictures: bool
    ) -> Opened:
        platform = event.conversation.platform
        known = journal.opened.get(_key(file))
        if known:
            return Opened(**known)
        unusable = self._unusable(file, platform, pictures=pictures)
        if unusable:
            return _refused(file, unusable)
        try:
            return await self._read(file, event, pictures=pictures)
        except FileRefused as refusal:
            return _refused(file, str(refusal))
        except DeliveryError:
            return _refused(file, sentences.LOST_FILE)

    def unseen(self, files: Sequence[Opened]) -> tuple[Opened, ...]:
        """Leave the pictures out, for a model that cannot see."""
        return tuple(
            replace(file, image=None, refused=sentences.BLIND) if file.image else file
            for file in files
        )

    async def document(self, file: Attachment, platform: str) -> Downloaded:
        """Fetch a file that is to be kept, whole.

        Raises:
            FileRefused: it is not what may be sent.
            DeliveryError: its platform does not know it any more.
        """
        unusable = self._unusable(file, platform, pictures=False)
        if unusable:
            raise FileRefused(unusable)
        try:
            async with asyncio.timeout(SECONDS), self.turns:
                fetched = await self._fetched(file, platform)
        except TimeoutError:
            raise FileRefused(sentences.SLOW_FILE) from None
        return replace(fetched, name=safe_name(file.name))

    def _unusable(self, file: Attachment, platform: str, *, pictures: bool) -> str:
        """Say why a file is not even fetched, as far as it is known before; empty if it may be."""
        if not self.settings.enabled:
            return sentences.NO_FILES
        if _sounds(file) and not self.ears:
            return sentences.DEAF
        if file.type.startswith("image/") and not pictures:
            return sentences.BLIND
        if not file.source or platform not in self.files:
            return sentences.NO_FILE
        return ""

    async def _read(self, file: Attachment, event: MessageReceived, *, pictures: bool) -> Opened:
        fetched = await self._fetched(file, event.conversation.platform)
        if self.ears and _sounds(file):
            said = await self.ears.heard(fetched, event)
            return Opened(name=safe_name(file.name), text=said, spoken=True)
        picture = fetched.type.startswith("image/")
        if picture and not pictures:
            raise FileRefused(sentences.BLIND)
        read = await self.reader.read(fetched)
        if picture:
            image = Image(type=fetched.type, data=fetched.data)
            return Opened(name=safe_name(file.name), image=image)
        if not read.text:
            raise FileRefused(read.note or sentences.EMPTY_FILE)
        return Opened(name=safe_name(file.name), text=read.text, note=read.note)

    async def _fetched(self, file: Attachment, platform: str) -> Downloaded:
        location = await self.files[platform].locate(file)
        return await self.downloads.fetch(Wanted(
            url=location.url, types=self._types(file), max_bytes=self.settings.max_bytes,
            hosts=location.hosts, headers=location.headers, token_hosts=location.hosts,
        ))  # fmt: skip

    def _types(self, file: Attachment) -> tuple[str, ...]:
        """Return what a file may be; a web page only where one was sent."""
        if _sounds(file):
            return SOUNDS
        types = tuple(kind for name in self.settings.types for kind in TYPES[name])
        page = "text" in self.settings.types and file.name.lower().endswith(PAGES)
        return (*types, "text/html") if page else types


def _sounds(file: Attachment) -> bool:
    return file.type.startswith(("audio/", "video/"))


def _refused(file: Attachment, sentence: str) -> Opened:
    return Opened(name=safe_name(file.name), refused=sentence)


def _key(file: Attachment) -> str:
    return reference_of(f"{file.source} {file.name}", size=20)
