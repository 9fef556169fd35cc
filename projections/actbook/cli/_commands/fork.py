"""`actbook fork`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._given import NO_INPUTS, TO_THE_END, Given, Staying
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution


def fork(
    *ids: Id,
    at: str | None = None,
    given: Given = NO_INPUTS,
    reason: str = "Forked from the command line",
    staying: Staying = TO_THE_END,
    options: Options = DEFAULTS,
) -> int:
    """Begins a new execution with the past of another one, and follows it to its end.

    The other execution stays as it is. What was running at that point runs as a new attempt; inputs can be given
    anew as long as nothing used them.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    at
        A version of its history, or a moment (ISO 8601); the end by default, or with inputs the last point before
        they were used.
    reason
        Recorded with the fork.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._points import point
    from actbook.cli._session import run_async

    executions, inputs = ids_of(ids), given.read()
    where = None if at is None else point("--at", at)
    from actbook.cli._going_on import GoingOn

    async def ask(engine: Engine, state: GraphExecution) -> GraphExecution:
        await _check(engine, state, inputs)
        position = await _position(engine, state, where)
        return await engine.fork(state.id, position, inputs, user_id=state.user_id, reason=reason)

    return run_async(GoingOn(ask, staying, options).run(executions))


async def _check(engine: Engine, state: GraphExecution, inputs: dict[str, Any]) -> None:
    """Every given input is one of the graph's."""
    from actbook.cli._inputs import check_inputs
    from actbook.cli._recorded import graph_of
    from actbook.cli._sources import blocks_of

    graph = await graph_of(engine, state)
    if inputs and graph is not None:
        script = (state.simulation or {}).get("script")
        schema = graph.input_schema(blocks_of(graph, state.simulation is not None, script))
        check_inputs({**schema, "required": []}, inputs)


async def _position(engine: Engine, state: GraphExecution, where: Any) -> int | None:
    """The version that a point stands for. Raises `MissingError`."""
    from actbook.cli._points import check_point

    if where is None:
        return None
    history = await engine.history(state.id)
    at = check_point(history, where)
    return at if isinstance(at, int) else history.state(at).version
