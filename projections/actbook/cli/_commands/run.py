"""`actbook run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.graphs import Graph


def run(
    graph: Path,
    /,
    *,
    input: Annotated[list[str] | None, Parameter(name="--input")] = None,
    inputs_file: Path | None = None,
    simulate: bool = False,
    simulate_file: Path | None = None,
    timeout: float | None = None,
    detach: bool = False,
    idempotency_key: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Runs a graph and follows it to its end.

    On a terminal its nodes light up while they work; Ctrl-C stops the run, a second Ctrl-C leaves at once.
    Killed at any moment, the run goes on when the store is opened again.

    Parameters
    ----------
    graph
        File with the graph, as JSON.
    input
        One input. VALUE is taken as JSON when it is JSON (8, true, [1,2]), else as text. NAME=@FILE takes a
        file's text, NAME:=JSON takes nothing but JSON. Repeat it for more inputs.
    inputs_file
        JSON file with an object: name → value. --input wins over it.
    simulate
        Put visible stand-ins in place of blocks that are not installed.
    simulate_file
        JSON file with what the stand-ins yield, by node id, block id or block name. Implies --simulate.
    timeout
        Seconds to wait for the end. The run itself goes on after it.
    detach
        Only record the run; whoever owns the store runs it.
    idempotency_key
        The same key of the same user is the same execution, however often it is asked for.
    """
    from actbook.cli._inputs import check_inputs, read_inputs
    from actbook.cli._session import run_async
    from actbook.cli._sources import blocks_of, read_graph, read_simulation

    script = read_simulation(simulate_file)
    inputs = read_inputs(input or (), inputs_file)
    document = read_graph(graph)
    simulated = simulate or script is not None
    check_inputs(document.input_schema(blocks_of(document, simulated, script)), inputs)
    arguments: dict[str, Any] = {
        "inputs": inputs,
        "simulate": simulated,
        "simulation_script": script,
        "idempotency_key": idempotency_key,
    }
    return run_async(_run(document, Request(arguments, timeout, detach, options)))


@dataclass(frozen=True)
class Request:
    """`arguments` are those of `Engine.add_graph_execution`."""

    arguments: dict[str, Any]
    timeout: float | None
    detach: bool
    options: Options


async def _run(graph: Graph, request: Request) -> ExitCode:
    from actbook.cli._following import Following
    from actbook.cli._problems import InvalidError
    from actbook.cli._session import opened
    from actbook.graphs import ActbookError

    options = request.options
    user = options.user or ""
    async with opened(options.store, candidate=not request.detach) as engine:
        saved = await engine.save_graph(graph, user)
        try:
            execution = await engine.add_graph_execution(
                saved.id, user, graph_version=saved.version, **request.arguments
            )
        except ActbookError:
            raise
        except ValueError as error:
            raise InvalidError(f"{' '.join(str(error).split())}") from None
        following = Following(engine, saved, execution, options)
        if request.detach:
            return following.leave()
        return await following.to_the_end(request.timeout)
