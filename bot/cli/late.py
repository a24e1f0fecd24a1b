"""Functions that are imported when they are called, so that help need not wait for an engine."""

import importlib
from collections.abc import Callable
from typing import Any


def late(name: str) -> Callable[..., Any]:
    """Return a stand-in for `module:function`."""
    module, _, function = name.partition(":")

    def call(*values: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*values, **named)

    return call
