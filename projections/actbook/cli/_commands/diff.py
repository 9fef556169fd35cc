"""`actbook diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.replay import Change


def diff(id: str, a: str, b: str | None = None, /, *, options: Options = DEFAULTS) -> int:  # noqa: A002
    """Shows what differs between two points of an execution, or between two executions.

    Compared are the states at two versions or moments of one history, place by place. With the id of another execution
    in place of the points, both are compared as they are now, each execution of a node with its counterpart.

    Parameters
    ----------
    id
        Execution, by id or the beginning of one.
    a
        The first point: a version, or a moment (ISO 8601). Or the other execution.
    b
        The second one. The end by default.
    """
    from actbook.cli._points import is_point, point
    from actbook.cli._session import run_async

    if b is None and not is_point(a):
        from actbook.cli._two_executions import show_difference

        return run_async(show_difference(id, a, options))
    return run_async(_diff(id, point("A", a), None if b is None else point("B", b), options))


async def _diff(given: str, a: Any, b: Any, options: Options) -> ExitCode:
    from actbook.cli._ids import execution_id
    from actbook.cli._points import check_point
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._session import reading

    async with reading(options) as engine:
        history = await engine.history(await execution_id(engine, given, options.user), options.user)
        check_point(history, a)
        changes = history.diff(a, check_point(history, b))
    if options.output == "json":
        print_json([_record(change) for change in changes])
    elif options.output == "ids":
        print_ids(_path(change) for change in changes)
    else:
        _show(changes)
    return ExitCode.OK


def _record(change: Change) -> dict[str, Any]:
    """A side that does not exist has no key."""
    from actbook.replay._difference import ABSENT

    record: dict[str, Any] = {"path": list(change.path)}
    if change.before != ABSENT:
        record["before"] = change.before
    if change.after != ABSENT:
        record["after"] = change.after
    return record


def _path(change: Change) -> str:
    return ".".join(str(part) for part in change.path)


def _show(changes: list[Change]) -> None:
    from rich.text import Text

    from actbook.cli._printing import note, one_line, show
    from actbook.replay._difference import ABSENT

    if not changes:
        note("Nothing changed between the two points.")
    for change in changes:
        line = Text.assemble((_path(change), "bold"), "  ")
        if change.before != ABSENT:
            line.append(f"- {one_line(change.before)}  ", style="red")
        if change.after != ABSENT:
            line.append(f"+ {one_line(change.after)}", style="green")
        show(line)
