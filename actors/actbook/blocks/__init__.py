"""Built-in blocks, the registry that finds blocks, and what it takes to write and test one's own."""

from ._ports import (
    FileStore,
    InlineFiles,
    KeyValueStore,
    MemoryStore,
    UnreadableFileError,
    clock_for_run,
    files_for_run,
    storage_for_run,
    system_clock,
)
from ._pure import PureBlock
from ._registry import BlockPluginWarning, DuplicateBlockError, Registry, block, default_registry

__all__ = [
    "BlockPluginWarning",
    "DuplicateBlockError",
    "FileStore",
    "InlineFiles",
    "KeyValueStore",
    "MemoryStore",
    "PureBlock",
    "Registry",
    "UnreadableFileError",
    "block",
    "clock_for_run",
    "default_registry",
    "files_for_run",
    "storage_for_run",
    "system_clock",
]
