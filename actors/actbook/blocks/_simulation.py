"""Simulation: a graph runs although some of its blocks are not installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actbook.graphs import Block, BlockLookup, Graph, UnknownBlock

from ._needs import Needs
from ._script import Run, Script, SimulationScriptError, checked_script
from ._stand_in import Use, name_of, output_pins, stand_in


def simulated_lookup(
    lookup: BlockLookup, graphs: Graph | Iterable[Graph], script: Mapping[str, Any] | None = None
) -> BlockLookup:
    """`lookup`, with a visible stand-in for every block of the graphs that it does not know.

    `graphs` are those of the run, sub-graphs bound and included. Without a script a stand-in yields made-up
    values of the shape that the graph needs downstream; the same node with the same input always yields the
    same. `script` gives outputs by node id, block id or block name (a node's own entry goes first), one run
    per execution of the node within its graph execution; the last run repeats. Raises
    `SimulationScriptError`.
    """
    closure = list(_closure([graphs] if isinstance(graphs, Graph) else graphs))
    uses = _uses(closure, lookup)
    stand_ins: dict[str, Block] = {}

    def find(block_id: str) -> Block | None:
        return stand_ins.get(block_id) or lookup(block_id)

    checked = checked_script(script or {})
    _check_keys(checked, uses)
    needs = Needs(closure, find)
    for block_id, each in uses.items():
        stand_ins[block_id] = stand_in(block_id, each, needs, _runs(block_id, each, checked))
    return find


def _closure(graphs: Iterable[Graph]) -> Iterator[Graph]:
    """Every graph once, however often it is listed."""
    waiting, seen = list(graphs), set[tuple[str, int]]()
    while waiting:
        graph = waiting.pop(0)
        if (graph.id, graph.version) not in seen:
            seen.add((graph.id, graph.version))
            waiting += graph.sub_graphs
            yield graph


def _uses(graphs: Iterable[Graph], lookup: BlockLookup) -> dict[str, list[Use]]:
    uses: dict[str, list[Use]] = {}
    for graph in graphs:
        for node in graph.nodes:
            found = lookup(node.block_id)
            if found is None or isinstance(found, UnknownBlock):
                uses.setdefault(node.block_id, []).append(Use(graph, node))
    return uses


def _keys_of(block_id: str, uses: Iterable[Use]) -> list[str]:
    """What a script may call the block by."""
    name = name_of(block_id, uses)
    plain = name.removesuffix(" (simulated)")
    return [block_id, name, plain, plain.removesuffix("Block")]


def _runs(block_id: str, uses: list[Use], script: Script) -> dict[str, tuple[Run, ...]]:
    shared = next((script[key] for key in _keys_of(block_id, uses) if key in script), None)
    found: dict[str, tuple[Run, ...]] = {}
    for use in uses:
        runs = script.get(use.node.id, shared)
        if runs is not None:
            found[use.node.id] = runs
    return found


def _check_keys(script: Script, uses: Mapping[str, list[Use]]) -> None:
    pins: dict[str, set[str]] = {}
    for block_id, each in uses.items():
        allowed = {*output_pins(block_id, each), "error"}
        for key in [*_keys_of(block_id, each), *(use.node.id for use in each)]:
            pins[key] = allowed
    for key, runs in script.items():
        if key not in pins:
            names = sorted(name_of(block_id, each) for block_id, each in uses.items())
            raise SimulationScriptError(
                repr(key), f"no simulated block or node of the graph is called so; simulated: {names}."
            )
        _check_pins(key, runs, pins[key])


def _check_pins(key: str, runs: Iterable[Run], allowed: set[str]) -> None:
    for number, run in enumerate(runs, 1):
        for pin, _ in run:
            if pin not in allowed and not pin.startswith("tools_^_"):
                raise SimulationScriptError(
                    f"{key!r}, run {number}", f"no pin `{pin}` is used; there are {sorted(allowed)}."
                )
