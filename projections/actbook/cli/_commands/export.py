"""`actbook export`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import Id, Place

if TYPE_CHECKING:
    from actbook.engine import Engine

Format = Literal["cloudevents", "ocel", "xes", "mermaid", "svg"]

_DEFAULTS = Place()
_PICTURES = ("mermaid", "svg")


def export(
    *ids: Id,
    everything: Annotated[bool, Parameter(name="--all", negative=())] = False,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = "cloudevents",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    place: Place = _DEFAULTS,
) -> int:
    """Writes executions into a file that other programs read.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin. With --user and no id, all that is the user's.
    everything
        The whole store.
    form
        cloudevents: JSON lines, which `import` reads; ocel, xes: for process mining; mermaid, svg: the graph of one
        execution in the colours of its states.
    output
        The file; the standard output by default.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if everything and (ids or place.user is not None):
        raise UsageError("--all is the whole store: give no ids and no --user with it.")
    given = [] if everything or (place.user is not None and not ids) else ids_of(ids)
    if form in _PICTURES and len(given) != 1:
        raise UsageError(f"--format {form} draws one execution: give one id.")
    return run_async(_export(given, form, output, place))


async def _export(given: list[str], form: Format, output: Path | None, place: Place) -> ExitCode:
    from actbook.cli._files import write_whole
    from actbook.cli._ids import execution_id
    from actbook.cli._session import reading
    from actbook.replay import export as exports

    async with reading(place) as engine:
        ids = [await execution_id(engine, each, place.user) for each in given]
        if form in _PICTURES:
            await asyncio.to_thread(write_whole, output, [await _picture(engine, ids[0], form)])
            return ExitCode.OK
        writers = {
            "cloudevents": exports.export_cloudevents,
            "ocel": exports.export_ocel,
            "xes": exports.export_xes,
        }
        pieces = writers[form](engine.journal.store, exports.Selection(tuple(ids), place.user))
        await asyncio.to_thread(write_whole, output, pieces)
        return ExitCode.OK


async def _picture(engine: Engine, execution: str, form: Format) -> bytes:
    from actbook.cli._graph_view import in_mermaid
    from actbook.cli._live import progress_of
    from actbook.cli._names import node_labels
    from actbook.replay.export import svg

    state = await engine.get_graph_execution(execution)
    graph = await engine.graph(state.graph_id, state.graph_version)
    progress = progress_of(graph)
    for envelope in await engine.journal.read_stream(execution):
        progress.apply(envelope)
    if form == "mermaid":
        return in_mermaid(graph, progress).encode()
    nodes = progress.nodes.values()
    statuses = {node.node_id: str(node.status) for node in nodes if node.status is not None}
    return svg(graph, statuses, node_labels(graph)).encode()
