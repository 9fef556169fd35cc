"""`actbook review`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.events import GraphExecution


def review(
    id: str | None = None,  # noqa: A002
    /,
    *,
    approve: Annotated[bool, Parameter(negative=())] = False,
    reject: Annotated[bool, Parameter(negative=())] = False,
    data: str | None = None,
    message: str = "",
    limit: int = 50,
    options: Options = DEFAULTS,
) -> int:
    """Approves or rejects what waits for a person; the execution goes on in whatever process runs the store.

    Without an ID it lists what waits, whoever waits longest first.

    Parameters
    ----------
    id
        The node execution (EXECUTION.NUMBER), or the execution when only one of its nodes waits.
    approve
        Let it go on.
    reject
        Send it the other way.
    data
        JSON that replaces what was to be judged, if it is editable.
    message
        For whoever reads the result.
    limit
        Without an ID: at most this many.
    """
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if id is None:
        from actbook.cli._waiting import list_waiting

        if approve or reject or data is not None or message:
            raise UsageError("Name what is decided: the ID of one that `actbook review` lists.")
        return run_async(list_waiting(limit, options))
    if approve == reject:
        raise UsageError("Say --approve or --reject, one of them.")
    return run_async(_review(id, Decision(approve, _json(data), message), options))


class Decision:
    """`data` None leaves what was to be judged as it is."""

    def __init__(self, approved: bool, data: Any, message: str) -> None:
        self.approved = approved
        self.data = data
        self.message = message


async def _review(given: str, decision: Decision, options: Options) -> ExitCode:
    from actbook.cli._ids import execution_id
    from actbook.cli._printing import note, print_ids, print_json
    from actbook.cli._session import check_exists, opened
    from actbook.engine import ReviewError
    from actbook.events import node_exec_id

    check_exists(options.store)
    execution, _, number = given.partition(".")
    async with opened(options.store, candidate=False) as engine:
        state = await engine.get_graph_execution(
            await execution_id(engine, execution, options.user), options.user
        )
        node_execution = node_exec_id(state.id, _number(state, number))
        try:
            await engine.review(
                state.user_id, node_execution, decision.approved, data=decision.data, message=decision.message
            )
        except ReviewError as error:
            if number and error.reason == "is not pending":
                raise _missing(state, number) from None
            raise
        if options.output == "json":
            print_json({"id": node_execution, "execution_id": state.id, "approved": decision.approved})
        elif options.output == "ids":
            print_ids([node_execution])
        else:
            note(f"{'Approved' if decision.approved else 'Rejected'}: {node_execution}")
        _tell_who_goes_on(engine, options)
    return ExitCode.OK


def _number(state: GraphExecution, given: str) -> int:
    """Which node execution is meant. One that was decided before is named, too: the same decision again is none."""
    from actbook.cli._problems import InvalidError, UsageError

    if given:
        if not given.isdecimal():
            raise _missing(state, given)
        return int(given)
    waiting = [state.node_executions[each] for each in state.reviews]
    if not waiting:
        raise InvalidError(f"Nothing of execution {state.id} waits for a person; it is {state.status}.")
    if len(waiting) > 1:
        listed = ", ".join(f"{state.id}.{node.number}" for node in waiting)
        raise UsageError(f"Several nodes wait for a person: {listed}. Name one of them.")
    return waiting[0].number


def _missing(state: GraphExecution, number: str) -> Exception:
    from actbook.cli._problems import MissingError

    return MissingError(
        f"There is no pending review {state.id}.{number}. `actbook show {state.id}` lists them."
    )


def _tell_who_goes_on(engine: Engine, options: Options) -> None:
    from actbook.cli._printing import note

    if engine.owner is None:
        note("Nobody runs this store now: `actbook worker` does.", options.output)


def _json(text: str | None) -> Any:
    import msgspec

    from actbook.cli._problems import UsageError

    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"--data is not JSON ({error}). Quote a text: --data '\"text\"'.") from None
