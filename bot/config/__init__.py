"""The configuration: one TOML file, overlaid by `PARLEY__SECTION__KEY`, read strictly.

Every problem is one line, `key: what is wrong; what to do`, and all are reported together.
"""

from bot.config.loading import load
from bot.config.secrets import Secrets
from bot.config.sections import Config, DocumentsSettings

__all__ = ["Config", "DocumentsSettings", "Secrets", "load"]
