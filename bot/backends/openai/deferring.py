"""Leave out what nobody reads when the SDK is imported: the types of its answers.

They are two thirds of its modules and 0.2 s of CPU at every start, and Parley reads the wire
itself. Their packages are put in place without being executed; whoever asks one of them for a name
has it executed then, so that whatever is asked for is there as ever.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import get_ident
from types import ModuleType

DEFERRED = frozenset(("openai.types", "openai.types.responses"))

_executing: set[tuple[str, int]] = set()  # packages, and the threads that are at it


def defer_types() -> None:
    """Defer them for whoever imports the SDK from now on."""
    sys.meta_path.insert(0, _Finder())


class _Deferred(ModuleType):
    """A package that is executed once it is asked for a name that it does not have yet."""

    def __getattr__(self, name: str) -> object:
        mine = (self.__name__, get_ident())
        if mine in _executing:  # one of its own modules asks: it is no further yet
            raise AttributeError(name)
        _executing.add(mine)
        try:  # two threads may both do it: they bind the same names to the same values
            if isinstance(self.__loader__, _Loader):
                self.__loader__.execute(self)
        finally:
            _executing.discard(mine)
        self.__class__ = ModuleType  # type: ignore[assignment]
        return getattr(self, name)


class _Loader(SourceFileLoader):
    """Puts a package in place as it is, and executes it later."""

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _Deferred

    def execute(self, module: ModuleType) -> None:
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the packages that are deferred, and no others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in DEFERRED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec
