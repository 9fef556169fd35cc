"""Agent graphs of the standard blocks, run whole; what came out, what ran how often, and what was left waiting."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from tests.engine.kit import PATIENCE, USER, World, begin, play

from actbook.engine import Engine
from actbook.events import ExecutionStatus, GraphExecution, fold
from actbook.graphs import Graph


class Outcome(NamedTuple):
    """`ran`: how many executions of each node ended or are under way; `left`: inputs of those that still wait, by node."""

    status: ExecutionStatus
    outputs: dict[str, list[Any]]
    ran: dict[str, int]
    left: dict[str, list[dict[str, Any]]]
    errors: dict[str, list[str]]
    id: str


def run_whole(made: Graph, script: dict[str, Any] | None = None, **options: Any) -> Outcome:
    """Runs a graph to its end in a store of its own. Blocks that are not installed follow the script."""

    async def test() -> Outcome:
        async with World().open() as engine:
            return await run_in(engine, made, script, **options)

    found: Outcome = play(test())
    return found


async def run_in(
    engine: Engine, made: Graph, script: dict[str, Any] | None = None, **options: Any
) -> Outcome:
    execution = await begin(engine, made, simulate=True, simulation_script=script or {}, **options)
    await engine.wait(execution.id, PATIENCE)
    return await outcome_of(engine, execution.id)


async def outcome_of(engine: Engine, execution_id: str) -> Outcome:
    await engine.get_graph_execution(execution_id, USER)
    return _outcome(fold(await engine.journal.read_stream(execution_id), GraphExecution(retain=True)))


def _outcome(state: GraphExecution) -> Outcome:
    ran: Counter[str] = Counter()
    left: dict[str, list[dict[str, Any]]] = {}
    errors: dict[str, list[str]] = {}
    for node in state.node_executions.values():
        if node.status is ExecutionStatus.INCOMPLETE:
            left.setdefault(node.node_id, []).append(dict(node.inputs))
        else:
            ran[node.node_id] += 1
        if node.error:
            errors.setdefault(node.node_id, []).append(node.error)
    return Outcome(state.status, state.outputs, dict(ran), left, errors, state.id)
