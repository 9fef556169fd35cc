"""`actbook forget`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.replay import Forgotten


def forget(
    *users: Id,
    stop: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Deletes everything of a user for good: executions, stored values, rows of the views, and their bytes in the file.

    Hashes stay in the log, so that checkpoints and proofs hold. Graphs and the account stay too.

    Parameters
    ----------
    users
        Whom to forget; - reads names from stdin.
    stop
        Stop the user's executions first, and remove schedules. Without it they are in the way.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    names = ids_of(users)
    if options.user is not None and set(names) != {options.user}:
        raise UsageError("Only the operator forgets other users: leave --user out.")
    return run_async(_forget(names, stop, options))


async def _forget(names: Sequence[str], stop: bool, options: Options) -> ExitCode:
    from actbook.cli._session import check_exists, opened

    check_exists(options.store)
    done: dict[str, Forgotten] = {}
    # Without an owner this process becomes it, and runs nothing but what the stop asks for.
    async with opened(options.store, candidate=stop, take_over=False) as engine:
        for name in names:
            done[name] = await engine.forget(name, stop=stop)
    _print(done, options)
    return ExitCode.OK


def _print(done: dict[str, Forgotten], options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json, show

    if options.output == "json":
        print_json([{"user": name, **forgotten._asdict()} for name, forgotten in done.items()])
    elif options.output == "ids":
        print_ids(each for forgotten in done.values() for each in forgotten.executions)
    else:
        for name, forgotten in done.items():
            count = len(forgotten.executions)
            show(
                f"{name}: {count} executions forgotten, {forgotten.events} events in {forgotten.streams} streams."
            )
