"""`actbook projection …`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.projections import ParkedEvent, ProjectionStatus, Runner


def ls(*, options: Options = DEFAULTS) -> int:
    """Lists projections: the tables of the store that are made from its events, and how far behind they are."""
    from actbook.cli._session import run_async

    return run_async(_ls(options))


def rebuild(
    *names: Id,
    timeout: float = 3600.0,
    options: Options = DEFAULTS,
) -> int:
    """Fills tables anew from all events. Readers keep the old table until the new one takes its place.

    Parameters
    ----------
    names
        Projections; - reads names from stdin.
    timeout
        Seconds until it stops waiting; the rebuild goes on.
    """
    from actbook.cli._session import run_async

    return run_async(_rebuild(names, timeout, options))


def rewind(
    *names: Id,
    timeout: float = 3600.0,
    options: Options = DEFAULTS,
) -> int:
    """Empties tables and fills them again from all events, in place: readers see them grow, and the file gets no second copy.

    Parameters
    ----------
    names
        Projections; - reads names from stdin.
    timeout
        Seconds until it stops waiting; the tables go on filling while an engine runs on the store.
    """
    from actbook.cli._session import run_async

    return run_async(_rewind(names, timeout, options))


def pause(*names: Id, options: Options = DEFAULTS) -> int:
    """Lets tables stand as they are until they are resumed, also after a restart.

    Parameters
    ----------
    names
        Projections; - reads names from stdin.
    """
    from actbook.cli._session import run_async

    return run_async(_pause(names, True, options))


def resume(*names: Id, options: Options = DEFAULTS) -> int:
    """Lets paused tables go on where they stopped.

    Parameters
    ----------
    names
        Projections; - reads names from stdin.
    """
    from actbook.cli._session import run_async

    return run_async(_pause(names, False, options))


def parked(*names: Id, retry: bool = False, options: Options = DEFAULTS) -> int:
    """Lists events that a projection could not process, and those behind them in their streams.

    Parameters
    ----------
    names
        Projections, all by default; - reads names from stdin.
    retry
        Tries them again first, and lists what is left.
    """
    from actbook.cli._session import run_async

    return run_async(_parked(names, retry, options))


@asynccontextmanager
async def _runner(options: Options) -> AsyncIterator[Runner]:
    """A name that is none ends as "not found", with the names there are."""
    from actbook.cli._problems import MissingError
    from actbook.cli._session import reading
    from actbook.projections import UnknownProjectionError

    async with reading(options) as engine:
        try:
            yield engine.projections
        except UnknownProjectionError as error:
            raise MissingError(str(error), name=error.name, known=error.known) from None


async def _ls(options: Options) -> ExitCode:
    async with _runner(options) as runner:
        _show(await runner.status(), options)
    return ExitCode.OK


async def _rebuild(given: Sequence[str], timeout: float, options: Options) -> ExitCode:
    from actbook.cli._ids import ids_of

    names = ids_of(given)
    async with _runner(options) as runner:
        await runner.activate()
        for name in names:
            await runner.rebuild(name, timeout)
        _show([status for status in await runner.status() if status.name in names], options)
    return ExitCode.OK


async def _rewind(given: Sequence[str], timeout: float, options: Options) -> ExitCode:
    from actbook.cli._ids import ids_of

    names = ids_of(given)
    async with _runner(options) as runner:
        await runner.activate()
        before = {status.name: status for status in await runner.status()}
        for name in names:
            await runner.rewind(name)
            if before[name].state != "paused":
                await runner.wait(before[name].position + before[name].lag.events, timeout, name)
        _show([status for status in await runner.status() if status.name in names], options)
    return ExitCode.OK


async def _pause(given: Sequence[str], paused: bool, options: Options) -> ExitCode:
    from actbook.cli._ids import ids_of

    names = ids_of(given)
    async with _runner(options) as runner:
        for name in names:
            await (runner.pause(name) if paused else runner.resume(name))
        _show([status for status in await runner.status() if status.name in names], options)
    return ExitCode.OK


async def _parked(given: Sequence[str], retry: bool, options: Options) -> ExitCode:
    from actbook.cli._ids import ids_of
    from actbook.projections import UnknownProjectionError

    asked = ids_of(given) if given else []
    async with _runner(options) as runner:
        known = [status.name for status in await runner.status()]
        for name in asked:
            if name not in known:
                raise UnknownProjectionError(name, known)
        names = asked or known
        if retry:
            for name in names:
                await runner.replay_parked(name)
        events = [event for event in await runner.parked() if event.name in names]
    _show_parked(events, options)
    return ExitCode.OK


def _show(statuses: Sequence[ProjectionStatus], options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json

    if options.output == "json":
        print_json([_status_record(status) for status in statuses])
    elif options.output == "ids":
        print_ids(status.name for status in statuses)
    else:
        _status_table(statuses)


def _show_parked(events: Sequence[ParkedEvent], options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json

    if options.output == "json":
        print_json([_parked_record(event) for event in events])
    elif options.output == "ids":
        print_ids(str(event.position) for event in events)
    else:
        _parked_table(events)


def _status_record(status: ProjectionStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "version": status.version,
        "state": status.state,
        "position": status.position,
        "lag": {"events": status.lag.events, "seconds": status.lag.seconds},
        "parked": status.parked,
        "rebuilt": status.rebuilt,
        "failure": status.failure or None,
    }


def _parked_record(event: ParkedEvent) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "projection": event.name,
        "position": event.position,
        "stream_id": event.stream_id,
        "version": event.version,
        "topic": event.topic,
        "error": event.error,
        "attempts": event.attempts,
        "parked_at": iso(event.parked_at),
    }


def _status_table(statuses: Sequence[ProjectionStatus]) -> None:
    from rich.table import Table

    from actbook.cli._printing import seconds, show

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in ("projection", "state", "position", "behind", "for", "parked", "failure"):
        numeric = heading in ("position", "behind", "for", "parked")
        table.add_column(heading, no_wrap=True, justify="right" if numeric else "left")
    for status in statuses:
        age = seconds(status.lag.seconds) if status.lag.events else ""
        figures = (str(status.position), str(status.lag.events), age, str(status.parked))
        table.add_row(status.name, status.state, *figures, status.failure)
    show(table)


def _parked_table(events: Sequence[ParkedEvent]) -> None:
    from rich.table import Table

    from actbook.cli._printing import note, one_line, show

    if not events:
        note("Nothing is parked.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in ("projection", "position", "stream", "event", "tried", "error"):
        table.add_column(heading, no_wrap=True)
    for event in events:
        tried = str(event.attempts)
        error = one_line(event.error)
        table.add_row(event.name, str(event.position), event.stream_id, event.topic, tried, error)
    show(table)
