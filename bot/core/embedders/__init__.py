"""Embedders made of embedders, as models are made of models."""

from bot.core.embedders.deferred import DeferredEmbedder
from bot.core.embedders.metered import MeteredEmbedder
from bot.core.embedders.redacted import RedactedEmbedder
from bot.core.embedders.resting import RestingEmbedder

__all__ = ["DeferredEmbedder", "MeteredEmbedder", "RedactedEmbedder", "RestingEmbedder"]
