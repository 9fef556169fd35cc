"""`actbook graph`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import PictureOptions

if TYPE_CHECKING:
    from actbook.cli._live import Progress
    from actbook.graphs import Graph

_DEFAULTS = PictureOptions()


def graph(
    source: str,
    /,
    *,
    links: Annotated[bool, Parameter(negative=())] = False,
    options: PictureOptions = _DEFAULTS,
) -> int:
    """Draws a graph, or an execution with its states.

    Parameters
    ----------
    source
        A graph file, or the id of an execution or of a saved graph (the beginning of an execution's id is enough).
    links
        List every link with its pins below the picture.
    """
    from actbook.cli._session import run_async
    from actbook.cli._sources import read_graph

    path = Path(source)
    if path.exists() or path.suffix == ".json":
        return _print(read_graph(path), None, links, options)
    document, progress = run_async(_recorded(source, options))
    return _print(document, progress, links, options)


async def _recorded(given: str, options: PictureOptions) -> tuple[Graph, Progress | None]:
    from actbook.cli._ids import execution_id
    from actbook.cli._live import progress_of
    from actbook.cli._session import reading
    from actbook.events import graph_stream

    async with reading(options) as engine:
        if await engine.journal.head(graph_stream(given)):
            return await engine.graph(given, user_id=options.user), None
        state = await engine.get_graph_execution(
            await execution_id(engine, given, options.user), options.user
        )
        document = await engine.graph(state.graph_id, state.graph_version)
        progress = progress_of(document)
        for envelope in await engine.journal.read_stream(state.id):
            progress.apply(envelope)
        return document, progress


def _print(document: Graph, progress: Progress | None, links: bool, options: PictureOptions) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json

    if options.output == "json":
        print_json(document.to_dict())
    elif options.output == "ids":
        print_ids(node.id for node in document.nodes)
    elif options.output == "mermaid":
        from actbook.cli._graph_view import in_mermaid

        print(in_mermaid(document, progress), end="")
    else:
        from actbook.cli._graph_view import show_graph

        show_graph(document, progress, links)
    return ExitCode.OK
