"""`actbook report`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import Id, Place

if TYPE_CHECKING:
    from actbook.engine import Engine

_DEFAULTS = Place()
_STDOUT = Path("-")


def report(
    *ids: Id,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = None,
    place: Place = _DEFAULTS,
) -> int:
    """Writes a page about an execution that any browser opens, offline: graph over time, timeline, events, costs.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    output
        The file, for one execution; - is the standard output. By default ID.html in this folder.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    given = ids_of(ids)
    if output is not None and len(given) > 1:
        raise UsageError("-o names one file: give one id with it, or leave it out.")
    return run_async(_report(given, output, place))


async def _report(given: list[str], output: Path | None, place: Place) -> ExitCode:
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import print_ids
    from actbook.cli._session import reading

    async with reading(place) as engine:
        for each in given:
            path = await _write(engine, await execution_id(engine, each, place.user), output)
            if path is not None:
                print_ids([str(path)])
    return ExitCode.OK


async def _write(engine: Engine, execution: str, output: Path | None) -> Path | None:
    from actbook.cli._files import write_whole
    from actbook.cli._recorded import graph_of, labels_of
    from actbook.replay.export import report as page_about

    history = await engine.history(execution)
    graph = await graph_of(engine, history.state())
    page = await asyncio.to_thread(page_about, history, graph, labels=labels_of(graph) or None)
    path = None if output == _STDOUT else output or Path(f"{execution}.html")
    await asyncio.to_thread(write_whole, path, [page.encode("utf-8", "replace")])
    return path
