"""Where one bot keeps its files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The files of one bot; `url` is the setting `database.url`, empty for the usual place."""

    data_dir: Path
    url: str = ""

    @property
    def database(self) -> Path:
        """The file of the store."""
        named = self.url.removeprefix("sqlite:///")
        return Path(named) if named else self.data_dir / "parley.db"

    @property
    def socket(self) -> Path:
        """Where the running bot takes the verbs of operation."""
        return self.data_dir / "control.sock"
