"""Which block stands behind an id. One default registry per process; an engine may be given its own."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar, overload

from actbook.graphs import ActbookError, Block, BlockDefinitionError, UnknownBlock

from .standard import STANDARD_BLOCKS

PLUGIN_GROUP = "actbook.blocks"

B = TypeVar("B", bound=Block)


class DuplicateBlockError(ActbookError, ValueError):
    """Two block classes claim one id. `block_id`, `first` and `second` (class names) tell which."""

    def __init__(self, block_id: str, first: str, second: str) -> None:
        super().__init__(
            f"Block id {block_id} belongs to {first} already, so {second} cannot have it: "
            "give one of them a new UUID, or register it in a Registry of its own."
        )
        self.block_id = block_id
        self.first = first
        self.second = second


class BlockPluginWarning(UserWarning):
    """An installed plug-in could not be loaded; its blocks are missing, all others are there."""


class Registry:
    """Block classes by id; each has one instance per registry.

    `table` maps ids to `"module:Class"` and is imported one block at a time; `plugins` is an entry-point
    group that is loaded when an id is not found otherwise, or when all blocks are asked for. What is not
    here is looked up in `parent`, so a registry of its own can shadow blocks without changing the default
    one. Safe to use from several threads.
    """

    def __init__(
        self,
        *,
        parent: Registry | None = None,
        table: Mapping[str, str] | None = None,
        plugins: str | None = None,
    ) -> None:
        self.parent = parent
        self._table = dict(table or {})
        self._plugins = plugins
        self._plugins_loaded = plugins is None
        self._blocks: dict[str, Block] = {}
        self._lock = threading.RLock()

    def register(self, cls: type[B]) -> type[B]:
        """Adds a class; usable as a decorator. The same class twice is fine; raises `DuplicateBlockError`
        for another one.
        """
        if getattr(cls, "id", None) is None:
            raise BlockDefinitionError(cls.__name__, "it has no `id`: give it a constant UUID text.")
        with self._lock:
            taken = self._name_of(cls.id, cls)
            if taken is not None:
                raise DuplicateBlockError(cls.id, taken, _path_of(cls))
            if cls.id not in self._blocks or type(self._blocks[cls.id]) is not cls:
                self._blocks[cls.id] = cls()
        return cls

    def lookup(self, block_id: str) -> Block | None:
        """The block with that id, or None. May import its module or, for an unknown id, the installed plug-
        ins.
        """
        found = self._blocks.get(block_id) or self._from_table(block_id)
        if found is None and not self._plugins_loaded:
            self.load_plugins()
            found = self._blocks.get(block_id)
        if found is None and self.parent is not None:
            found = self.parent.lookup(block_id)
        return found

    def get(self, block_id: str) -> Block:
        """Like `lookup`; an unknown id gives a disabled stand-in whose run fails."""
        return self.lookup(block_id) or UnknownBlock(block_id)

    def load_plugins(self) -> None:
        """Loads the entry points once. A broken one gives a `BlockPluginWarning` and does not stop the
        others.
        """
        from importlib.metadata import entry_points

        faults: list[str] = []
        with self._lock:
            if self._plugins_loaded:
                return
            self._plugins_loaded = True
            for entry in sorted(entry_points(group=self._plugins or ""), key=lambda each: each.name):
                try:
                    self._add_plugin(entry.load())
                except Exception as error:
                    faults.append(f"{entry.name} ({entry.value}): {type(error).__name__}: {error}")
        for fault in faults:
            warnings.warn(f"Block plug-in {fault}", BlockPluginWarning, stacklevel=2)

    def __iter__(self) -> Iterator[Block]:
        """All blocks, the parent's included, by name. Imports every module."""
        self.load_plugins()
        known = {found.id: found for found in self.parent} if self.parent is not None else {}
        for block_id in [*self._table, *self._blocks]:
            if (found := self.lookup(block_id)) is not None:
                known[block_id] = found
        return iter(sorted(known.values(), key=lambda found: (found.name, found.id)))

    def __contains__(self, block_id: object) -> bool:
        return isinstance(block_id, str) and self.lookup(block_id) is not None

    def _from_table(self, block_id: str) -> Block | None:
        path = self._table.get(block_id)
        if path is None:
            return None
        module, _, name = path.partition(":")
        cls: type[Block] = getattr(import_module(module), name)
        with self._lock:
            return self._blocks.setdefault(block_id, cls())

    def _add_plugin(self, loaded: Any) -> None:
        if isinstance(loaded, type) and issubclass(loaded, Block):
            self.register(loaded)
        elif isinstance(loaded, ModuleType):
            for cls in _blocks_of(loaded):
                self.register(cls)
        else:
            raise TypeError(f"must name a module or a Block class, not {loaded!r}")

    def _name_of(self, block_id: str, newcomer: type[Block]) -> str | None:
        """The other class behind an id, if any. A notebook may define its own class again."""
        known = type(self._blocks[block_id]) if block_id in self._blocks else None
        if known is not None:
            again = newcomer.__module__ == "__main__" and _path_of(known) == _path_of(newcomer)
            return None if known is newcomer or again else _path_of(known)
        path = self._table.get(block_id)
        return None if path is None or path == _path_of(newcomer) else path


def _path_of(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _blocks_of(module: ModuleType) -> list[type[Block]]:
    """Its own and, if it is a package, those of its modules that it shows; what it imports from elsewhere is not its."""
    own = (module.__name__, f"{module.__name__}.")
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Block)
        and (each.__module__ == own[0] or each.__module__.startswith(own[1]))
        and isinstance(getattr(each, "id", None), str)
    ]


_default = Registry(table=STANDARD_BLOCKS, plugins=PLUGIN_GROUP)


def default_registry() -> Registry:
    """The registry of this process: the standard blocks, installed plug-ins and every class decorated with
    `@block`.
    """
    return _default


@overload
def block(cls: type[B], /) -> type[B]: ...
@overload
def block(*, registry: Registry) -> Callable[[type[B]], type[B]]: ...
def block(cls: type[B] | None = None, /, *, registry: Registry | None = None) -> Any:
    """Class decorator that registers a block: `@block`, or `@block(registry=mine)`."""
    target = _default if registry is None else registry
    return target.register if cls is None else target.register(cls)
