"""`actbook forget`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.replay import Forgotten, KeysForgotten


def forget(
    *users: Id,
    keys: Annotated[bool, Parameter(negative=())] = False,
    stop: Annotated[bool, Parameter(negative=())] = False,
    reason: str = "",
    options: Options = DEFAULTS,
) -> int:
    """Deletes everything of a user for good: executions, stored values, rows of the views, and their bytes in the file.

    Hashes stay in the log, so that checkpoints and proofs hold. Graphs and the account stay too. With --keys nothing is deleted
    but the keys that sealed his values: executions stay, their values read as [forgotten], in copies of the store too.

    Parameters
    ----------
    users
        Whom to forget; - reads names from stdin.
    keys
        Destroy the user's payload keys instead. The store needs to be used with payload keys (ACTBOOK_PAYLOAD_KEY).
    stop
        Stop the user's executions first, and remove schedules. Without it they are in the way.
    reason
        Recorded with --keys.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    names = ids_of(users)
    if options.user is not None and set(names) != {options.user}:
        raise UsageError("Only the operator forgets other users: leave --user out.")
    if reason and not keys:
        raise UsageError("--reason is recorded with --keys only; a deletion records none.")
    return run_async(_forget_keys(names, stop, reason, options) if keys else _forget(names, stop, options))


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


async def _forget_keys(names: Sequence[str], stop: bool, reason: str, options: Options) -> ExitCode:
    from actbook.cli._session import check_exists, opened

    check_exists(options.store)
    done: dict[str, KeysForgotten] = {}
    async with opened(options.store, take_over=False) as engine:
        for name in names:
            done[name] = await engine.forget_keys(name, stop=stop, reason=reason)
    _print(done, options)
    return ExitCode.OK


def _print(done: Mapping[str, Forgotten | KeysForgotten], options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json, show
    from actbook.replay import Forgotten

    if options.output == "json":
        print_json([{"user": name, **forgotten._asdict()} for name, forgotten in done.items()])
    elif options.output == "ids":
        print_ids(each for forgotten in done.values() for each in forgotten.executions)
    else:
        for name, forgotten in done.items():
            count = f"{name}: {len(forgotten.executions)} executions forgotten"
            if isinstance(forgotten, Forgotten):
                show(f"{count}, {forgotten.events} events in {forgotten.streams} streams.")
            else:
                show(f"{count}, {forgotten.keys} keys destroyed.")
