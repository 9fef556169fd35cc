"""`actbook run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._given import NO_INPUTS, NO_STAND_INS, TO_THE_END, Given, StandIns, Staying
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actbook.graphs import Graph


def run(
    graph: Path,
    /,
    *,
    given: Given = NO_INPUTS,
    stand_ins: StandIns = NO_STAND_INS,
    staying: Staying = TO_THE_END,
    idempotency_key: str | None = None,
    at: str | None = None,
    credentials: list[str] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Runs a graph and follows it to its end.

    On a terminal its nodes light up while they work; Ctrl-C stops the run, a second Ctrl-C leaves at once.
    Killed at any moment, the run goes on when the store is opened again.

    Parameters
    ----------
    graph
        File with the graph, as JSON.
    idempotency_key
        The same key of the same user is the same execution, however often it is asked for.
    at
        Begin at this moment (ISO 8601, UTC unless it says otherwise); until then it stays QUEUED in the store.
    credentials
        KEY=ID gives credentials to all nodes that ask for KEY, such as github_api_key_credentials. Repeat it
        for more keys.
    """
    from actbook.cli._session import run_async

    document, arguments = _read(graph, given, stand_ins)
    arguments |= {"idempotency_key": idempotency_key, "start_at": _moment(at)}
    return run_async(_run(document, Request(arguments, staying, options, credentials or ())))


def _read(graph: Path, given: Given, stand_ins: StandIns) -> tuple[Graph, dict[str, Any]]:
    """The graph, and what of the arguments follows from files."""
    from actbook.cli._inputs import check_inputs
    from actbook.cli._sources import blocks_of, read_graph, read_simulation

    script = read_simulation(stand_ins.simulate_file)
    inputs = given.read()
    document = read_graph(graph)
    simulated = stand_ins.simulate or script is not None
    check_inputs(document.input_schema(blocks_of(document, simulated, script)), inputs)
    return document, {"inputs": inputs, "simulate": simulated, "simulation_script": script}


@dataclass(frozen=True)
class Request:
    """`arguments` are those of `Engine.add_graph_execution`."""

    arguments: dict[str, Any]
    staying: Staying
    options: Options
    credentials: Sequence[str] = ()


async def _run(graph: Graph, request: Request) -> ExitCode:
    from actbook.cli._following import Following
    from actbook.cli._problems import InvalidError
    from actbook.cli._session import opened
    from actbook.cli._vault import Vault, chosen
    from actbook.graphs import ActbookError

    options = request.options
    user = options.user or ""
    vault = Vault(options.store)
    choice = await chosen(vault, user, graph, request.credentials)
    async with opened(options.store, candidate=not request.staying.detach, credentials=vault) as engine:
        saved = await engine.save_graph(graph, user)
        try:
            execution = await engine.add_graph_execution(
                saved.id,
                user,
                graph_version=saved.version,
                graph_credentials_inputs=choice,
                **request.arguments,
            )
        except ActbookError:
            raise
        except ValueError as error:
            raise InvalidError(f"{' '.join(str(error).split())}") from None
        following = Following(engine, saved, execution, options)
        if request.staying.detach:
            return following.leave()
        return await following.to_the_end(request.staying.timeout)


def _moment(given: str | None) -> datetime | None:
    from actbook.cli._problems import UsageError
    from actbook.cli._records import moment

    if given is None:
        return None
    try:
        return moment(given)
    except ValueError:
        raise UsageError(
            f"--at {given!r} is no moment. Write ISO 8601, such as 2026-01-31T12:00:00Z."
        ) from None
