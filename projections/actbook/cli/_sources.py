"""Graph files: read, checked, and made ready with or without stand-ins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from actbook.cli._inputs import read_text
from actbook.cli._problems import CommandError, InvalidError

if TYPE_CHECKING:
    from actbook.graphs import BlockLookup, Graph


def read_graph(path: Path) -> Graph:
    """The graph of a file, sub-graphs bound. Raises an error that names the file, the place and the remedy."""
    from actbook.blocks import default_registry
    from actbook.graphs import Graph, GraphFormatError, bind_sub_graphs

    text = _read(path)
    try:
        graph = Graph.from_json(text)
        bind_sub_graphs(graph, default_registry().lookup)
    except GraphFormatError as error:
        raise InvalidError(
            f"{path}: at {error.place or 'the top level'}: {error.reason}", place=error.place
        ) from None
    except ValueError as error:
        raise InvalidError(f"{path}: {error}") from None
    return graph


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except CommandError as error:
        if path.is_dir():
            found = sorted(each.name for each in path.glob("*.json"))[:3]
            hint = f", such as {', '.join(found)}" if found else ""
            raise InvalidError(f"{path} is a folder. Name a graph file in it{hint}.") from None
        raise error from None


def read_simulation(path: Path | None) -> dict[str, Any] | None:
    """The scripted outputs of a file."""
    if path is None:
        return None
    from actbook.blocks import SimulationScriptError, read_script

    try:
        return read_script(read_text(path))
    except SimulationScriptError as error:
        raise InvalidError(f"{path}: {error}") from None


def blocks_of(graph: Graph, simulate: bool, script: dict[str, Any] | None) -> BlockLookup:
    """The blocks that the graph runs with. Raises `InvalidError` that names those that are not installed."""
    from actbook.blocks import default_registry, simulated_lookup
    from actbook.graphs import bind_sub_graphs

    lookup = default_registry().lookup
    if simulate or script is not None:
        bound, _ = bind_sub_graphs(graph, lookup)
        return simulated_lookup(lookup, [bound, *bound.sub_graphs], script)
    unknown = _unknown_blocks(graph, lookup)
    if unknown:
        names = ", ".join(f"{name} ({count}×)" if count > 1 else name for name, count in unknown.items())
        raise InvalidError(
            f"{len(unknown)} blocks of the graph are not installed: {names}. Install the plug-in that has them,"
            " or add --simulate to run with visible stand-ins.",
            unknown_blocks=list(unknown),
        )
    return lookup


def _unknown_blocks(graph: Graph, lookup: BlockLookup) -> dict[str, int]:
    from actbook.cli._names import block_name

    unknown: dict[str, int] = {}
    for each in (graph, *graph.sub_graphs):
        for node in each.nodes:
            if lookup(node.block_id) is None:
                name = block_name(node.block_id)
                unknown[name] = unknown.get(name, 0) + 1
    return unknown
