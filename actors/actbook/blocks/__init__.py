"""Built-in blocks, the registry that finds blocks, and what it takes to write and test one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._counting import Counter, count, counter_for_run
from ._ports import (
    FileStore,
    InlineFiles,
    KeyValueStore,
    MemoryStore,
    UnreadableFileError,
    clock_for_run,
    files_for_run,
    occurrence_for_run,
    storage_for_run,
    system_clock,
)
from ._pure import PureBlock
from ._registry import BlockPluginWarning, DuplicateBlockError, Registry, block, default_registry

if TYPE_CHECKING:
    from ._script import SimulationScriptError, read_script
    from ._simulation import simulated_lookup
    from ._stand_in import SimulatedBlock

__all__ = [
    "BlockPluginWarning",
    "Counter",
    "DuplicateBlockError",
    "FileStore",
    "InlineFiles",
    "KeyValueStore",
    "MemoryStore",
    "PureBlock",
    "Registry",
    "SimulatedBlock",
    "SimulationScriptError",
    "UnreadableFileError",
    "block",
    "clock_for_run",
    "count",
    "counter_for_run",
    "default_registry",
    "files_for_run",
    "occurrence_for_run",
    "read_script",
    "simulated_lookup",
    "storage_for_run",
    "system_clock",
]

_SIMULATION = {
    "SimulatedBlock": "_stand_in",
    "SimulationScriptError": "_script",
    "read_script": "_script",
    "simulated_lookup": "_simulation",
}


def __getattr__(name: str) -> Any:
    """Simulation is loaded when it is asked for."""
    if name not in _SIMULATION:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_SIMULATION[name]}", __name__), name)
