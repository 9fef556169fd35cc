"""A process that archives or restores and dies at the n-th thing it does. Run by `test_archive_crash`.

Arguments: the store, the archive, "archive" or "restore". Forks once per point; prints how many points there are.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.replay.archiving import AT

from actbook.journal import ArchiveFileError, SQLiteStore
from actbook.replay import (
    Choice,
    archive_executions,
    check_archive,
    ended_trees,
    restore_archive,
    verify_store,
)

DIED = 9
NEVER = 1 << 40
CLOSE = 8
"""Points at both ends that are all tried, and about how many of those between."""


class Fuse:
    """Burns by one with everything that the process does to the disk."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.burnt = 0

    def __call__(self, *_: Any) -> None:
        if self.burnt == self._length:
            os._exit(DIED)
        self.burnt += 1

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*args: Any, **options: Any) -> Any:
            self()
            return function(*args, **options)

        return burning


def act(path: Path, file: Path, what: str, fuse: Fuse) -> None:
    store = SQLiteStore(str(path))
    os.fsync = fuse.before(os.fsync)
    os.open = fuse.before(os.open)
    os.close = fuse.before(os.close)
    with store.transaction() as connection:
        connection.set_trace_callback(fuse)
    if what == "archive":
        archive_executions(store, ended_trees(store, Choice()), file, AT)
    else:
        restore_archive(store, file)
    store.close()


def run(path: Path, file: Path, what: str, point: int) -> bool:
    """Whether the process died before it was done."""
    child = os.fork()
    if not child:
        act(path, file, what, Fuse(point))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, DIED), status
    return os.waitstatus_to_exitcode(status) == DIED


def count(path: Path, file: Path, what: str) -> int:
    """How many points there are."""
    reading, writing = os.pipe()
    if not os.fork():
        fuse = Fuse(NEVER)
        act(path, file, what, fuse)
        os.write(writing, str(fuse.burnt).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reading, 20))


def points(total: int) -> list[int]:
    between = range(CLOSE, total - CLOSE, max(1, total // CLOSE))
    return sorted({*range(CLOSE), *between, *range(total - CLOSE, total)})


def positions(path: Path, file: Path) -> tuple[list[int], bool]:
    """The positions of all events of store and archive, and whether the store says that some left."""
    store = SQLiteStore(str(path))
    here = [row.position for row in store.log_rows(0, None)]
    left = store.query("SELECT count(*) FROM sqlite_master WHERE name='archives'")[0][0]
    gone = bool(left and store.query("SELECT count(*) FROM archives")[0][0])
    store.close()
    assert not [fault for each in verify_store(path) for fault in each.faults]
    checked = check_archive(file)
    if gone:
        assert not checked.faults, checked.faults
    return here, gone


def finish(path: Path, file: Path, what: str) -> None:
    """What a person does after the crash: the same again."""
    store = SQLiteStore(str(path))
    try:
        if what == "restore":
            restore_archive(store, file)
            return
        chosen = ended_trees(store, Choice())
        if chosen:
            try:
                archive_executions(store, chosen, file, AT)
            except ArchiveFileError:
                archive_executions(store, chosen, file.with_suffix(".second"), AT)
    finally:
        store.close()


def prepared(original: Path, archive: Path, what: str, name: str) -> tuple[Path, Path]:
    folder = original.parent / f"{what}-{name}"
    folder.mkdir()
    path, file = folder / original.name, folder / archive.name
    shutil.copy(original, path)
    if what == "restore":
        store = SQLiteStore(str(path))
        archive_executions(store, ended_trees(store, Choice()), file, AT)
        store.close()
    return path, file


def main(original: Path, archive: Path, what: str) -> None:
    total = count(*prepared(original, archive, what, "whole"), what)
    for point in points(total):
        path, file = prepared(original, archive, what, str(point))
        assert run(path, file, what, point), point
        positions(path, file)
        finish(path, file, what)
        second = file.with_suffix(".second")
        after, gone = positions(path, second if second.exists() else file)
        assert gone == (what == "archive"), point
        assert len(after) == len(set(after))
        shutil.rmtree(path.parent)
    print(total)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
