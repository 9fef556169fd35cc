"""`actbook archive …`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.journal import ArchiveRecord, Store
    from actbook.replay import Checked

Ended = Literal["COMPLETED", "FAILED", "TERMINATED"]


def create(
    *given: Id,
    older_than: str | None = None,
    graph: str | None = None,
    status: list[Ended] | None = None,
    discard: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Moves ended executions, with their sub-graphs' executions, out of the store into a compressed file.

    They leave after the file is safe on the disk. Their rows in the views stay.

    Parameters
    ----------
    given
        The new file, and then the executions, by id or the beginning of one (- reads ids from stdin) unless --older-than says
        which. With --discard there is no file.
    older_than
        All that ended at least so long ago: a number with s, m, h, d or w, such as 90d.
    graph
        Of these only executions of this graph: its id, or the graph's file.
    status
        Of these only executions that ended like this. Repeat it for several.
    discard
        Delete them for good instead. The log keeps their hashes, so that proofs stay possible.
    """
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    names = list(given)
    if not discard and not names:
        raise UsageError("Name the file to make, or give --discard to delete for good.")
    file = None if discard else Path(names.pop(0))
    if (older_than is None) != bool(names):
        raise UsageError("Say which executions: by id, or with --older-than; not both.")
    if names and (graph or status):
        raise UsageError("--graph and --status choose among what is --older-than; leave them out with ids.")
    seconds = None if older_than is None else _seconds(older_than)
    return run_async(_create(file, names, seconds, graph, tuple(status or ()), options))


def ls(*, options: Options = DEFAULTS) -> int:
    """Lists the archives that hold executions of the store, oldest first, and what was discarded."""
    from actbook.cli._session import run_async

    return run_async(_ls(options))


def restore(*files: Annotated[str, Parameter(allow_leading_hyphen=True)], options: Options = DEFAULTS) -> int:
    """Brings archived executions back into the store they left, as they were. The file stays.

    Parameters
    ----------
    files
        Archives; - reads their names from stdin.
    """
    from actbook.cli._session import run_async

    return run_async(_restore(_paths(files), options))


def verify(*files: Annotated[str, Parameter(allow_leading_hyphen=True)], options: Options = DEFAULTS) -> int:
    """Checks that archives are what was written: checksum, hash chains, big values. No store is needed.

    Parameters
    ----------
    files
        Archives; - reads their names from stdin.
    """
    from actbook.cli._verification import print_checked

    return print_checked(_checked(_paths(files)), options)


async def _create(
    file: Path | None,
    names: Sequence[str],
    seconds: float | None,
    graph: str | None,
    statuses: tuple[str, ...],
    options: Options,
) -> ExitCode:
    from actbook.cli._commands.ls import _graph_id
    from actbook.cli._ids import execution_id, ids_of
    from actbook.cli._session import reading
    from actbook.replay import Choice, archive_executions, discard_executions, ended_trees, trees_of

    now = time.time_ns() // 1000
    async with reading(options) as engine:
        await engine.catch_up(60.0)
        store = engine.journal.store
        if seconds is None:
            ids = [await execution_id(engine, each, options.user) for each in ids_of(names)]
            chosen = await asyncio.to_thread(trees_of, store, ids)
        else:
            choice = Choice(now - int(seconds * 1_000_000), _graph_id(graph), options.user, statuses)
            chosen = await asyncio.to_thread(ended_trees, store, choice)
        events = 0
        if chosen and file is None:
            events = await asyncio.to_thread(discard_executions, store, chosen, now)
        elif chosen and file is not None:
            events = await asyncio.to_thread(archive_executions, store, chosen, file, now)
    _print_left(file if chosen else None, chosen, events, options)
    return ExitCode.OK


def _print_left(file: Path | None, chosen: Sequence[str], events: int, options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json, show

    if options.output == "json":
        name = None if file is None else str(file.absolute())
        print_json({"file": name, "executions": list(chosen), "events": events})
    elif options.output == "ids":
        print_ids(chosen)
    elif not chosen:
        show("No executions that fit; nothing was changed.")
    else:
        what = "discarded" if file is None else f"archived in {file}"
        show(f"{len(chosen)} executions with {events} events {what}.")


async def _ls(options: Options) -> ExitCode:
    from contextlib import closing

    from actbook.cli._session import reading
    from actbook.journal import archives_of

    def look(engine: Engine) -> list[ArchiveRecord]:
        with closing(engine.journal.store.open_views_reader()) as connection:
            return archives_of(connection)

    async with reading(options) as engine:
        found = await asyncio.to_thread(look, engine)
    _print_archives(found, options)
    return ExitCode.OK


def _print_archives(found: Sequence[ArchiveRecord], options: Options) -> None:
    from actbook.cli._printing import note, print_ids, print_json, show

    if options.output == "json":
        print_json([_record(each) for each in found])
        return
    if options.output == "ids":
        print_ids(each.file for each in found if each.file)
        return
    if not found:
        note("Nothing was archived.")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("file", "made", "executions", "events", ""):
        table.add_column(name, no_wrap=True, justify="right" if name in ("executions", "events") else "left")
    for each in found:
        record = _record(each)
        made = str(record["created_at"])[:19].replace("T", " ")
        cells = (each.file or "(discarded)", made, str(each.executions), str(each.events))
        state = "" if each.is_discarded or record["present"] else "not there"
        table.add_row(*map(Text, cells), Text(state, style="red"))
    show(table)


def _record(archive: ArchiveRecord) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "file": archive.file or None,
        "sha256": archive.sha256.hex() or None,
        "created_at": iso(archive.at),
        "executions": archive.executions,
        "events": archive.events,
        "discarded": archive.is_discarded,
        "present": bool(archive.file) and Path(archive.file).is_file(),
    }


async def _restore(paths: Sequence[Path], options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json, show
    from actbook.cli._session import reading
    from actbook.replay import restore_archive

    done: list[dict[str, Any]] = []
    async with reading(options) as engine:
        store: Store = engine.journal.store
        for path in paths:
            restored = await asyncio.to_thread(restore_archive, store, path)
            done.append(
                {"file": str(path), "executions": list(restored.executions), "events": restored.events}
            )
    if options.output == "json":
        print_json(done)
    elif options.output == "ids":
        print_ids(each for one in done for each in one["executions"])
    else:
        for one in done:
            show(
                f"{len(one['executions'])} executions with {one['events']} events restored from {one['file']}."
            )
    return ExitCode.OK


def _checked(paths: Sequence[Path]) -> Iterator[Checked]:
    from actbook.replay import Checked, check_archive

    for path in paths:
        found = check_archive(path)
        yield Checked(str(path), found.events, found.faults)


def _paths(files: Sequence[str]) -> list[Path]:
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import MissingError

    paths = [Path(each) for each in ids_of(files)]
    for path in paths:
        if not path.is_file():
            raise MissingError(
                f"There is no file {path}. `actbook archive ls` lists the archives of a store."
            )
    return paths


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _seconds(given: str) -> float:
    from actbook.cli._problems import UsageError

    number, unit = given[:-1], given[-1:]
    if unit not in _UNITS or not number.isdecimal():
        raise UsageError(
            f"--older-than {given!r} is no age. Give a number with s, m, h, d or w, such as 90d."
        )
    return float(int(number) * _UNITS[unit])
