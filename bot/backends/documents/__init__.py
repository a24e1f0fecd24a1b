"""A model without a language model: it answers by quoting documents, and says where from."""

from bot.backends.documents.model import DocumentsModel

__all__ = ["DocumentsModel"]
