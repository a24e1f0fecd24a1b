"""Files of messages as the configuration wants them; nothing is imported before one comes."""

import asyncio
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import fields

from bot.app.metering import hearing_tariff
from bot.backends.openai.settings import OpenAISettings
from bot.config import Config
from bot.core.attachments import Attachments
from bot.core.ears import Ears
from bot.core.metering import Metering
from bot.core.models import Deferred
from bot.ports.files import Downloaded, Downloads, Read, Reader, Transcriber, Wanted
from bot.ports.platform import Adapter

CHARACTERS = 1_000_000  # of a document that is learned
SECONDS = 60.0  # for reading one


class Doors:
    """The two doors for files, opened by the first one: most bots start and rest without any."""

    def __init__(self, own: tuple[str, ...], **reading: float) -> None:
        self._own, self._reading = own, reading
        self._opening = asyncio.Lock()
        self._opened: tuple[Downloads, Reader] | None = None

    async def fetch(self, wanted: Wanted) -> Downloaded:
        """See `bot.ports.files.Downloads`."""
        downloads, _ = await self._open()
        return await downloads.fetch(wanted)

    async def read(self, file: Downloaded) -> Read:
        """See `bot.ports.files.Reader`."""
        _, reader = await self._open()
        return await reader.read(file)

    async def _open(self) -> tuple[Downloads, Reader]:
        async with self._opening:
            if self._opened is None:
                load = importlib.import_module
                downloading = await asyncio.to_thread(load, "bot.backends.files.downloading")
                reading = await asyncio.to_thread(load, "bot.backends.files.reading")
                self._opened = (
                    downloading.Downloader(own=self._own),
                    reading.FileReader(**self._reading),
                )
            return self._opened


def library_doors(config: Config) -> Doors:
    """Read whole documents: they are cut into passages, and no prompt has to hold them."""
    return Doors(tuple(_own(config)), characters=CHARACTERS, seconds=SECONDS)


def _ears(config: Config, models: Mapping[str, Deferred], metering: Metering) -> Ears | None:
    """Hear by the model that is named for it, unless personal data is hidden from its server."""
    name = config.files.transcriber
    if not name:
        return None

    async def transcriber() -> Transcriber | None:
        model = await models[name].ready()
        return model if isinstance(model, Transcriber) else None

    return Ears(
        transcriber=transcriber,
        tariff=hearing_tariff(name, config.models[name]),
        metering=metering,
        language=config.files.language,
    )


def attachments_of(
    config: Config,
    adapters: Mapping[str, Adapter],
    models: Mapping[str, Deferred],
    metering: Metering,
) -> Attachments:
    """Open files of every platform that has any."""
    doors = Doors(tuple(_own(config)))
    return Attachments(
        settings=config.files,
        files={name: adapter.files for name, adapter in adapters.items() if adapter.files},
        downloads=doors,
        reader=doors,
        ears=_ears(config, models, metering),
        seeing=frozenset(
            name
            for name, model in config.models.items()
            if isinstance(model, OpenAISettings) and model.vision
        ),
    )


def _own(config: Config) -> Iterator[str]:
    """Yield the addresses that the operator has written: a platform's server of their own."""
    for settings in config.adapters.values():
        for setting in fields(settings):
            value = getattr(settings, setting.name)
            web = isinstance(value, str) and value.startswith(("https://", "http://"))
            if web and value != setting.default:
                yield value
