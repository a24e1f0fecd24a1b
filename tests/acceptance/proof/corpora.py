"""Collected attacks do no harm: `tests.acceptance.corpora` as a proof beside the others."""

from tests.acceptance.corpora.run import FAULTS, run

__all__ = ["FAULTS", "run"]
