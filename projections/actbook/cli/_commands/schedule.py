"""`actbook schedule …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._given import NO_INPUTS, NO_STAND_INS, Given, StandIns
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbook.engine import Engine


def add(
    graph: str,
    /,
    *,
    cron: str,
    timezone: str = "UTC",
    given: Given = NO_INPUTS,
    name: str = "",
    version: Annotated[int | None, Parameter(name="--version")] = None,
    missed: Literal["skip", "once", "all"] = "once",
    catch_up: int = 100,
    overlap: Literal["allow", "skip"] = "allow",
    stand_ins: StandIns = NO_STAND_INS,
    credentials: list[str] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Runs a graph again and again, at the times of a cron expression.

    It runs in whatever process runs the store: `actbook worker` does. What could not be run now is refused now.

    Parameters
    ----------
    graph
        File with the graph, as JSON, or the id of a saved one.
    cron
        Minute, hour, day of month, month, day of week: '30 9 * * MON-FRI'. Or @hourly, @daily, @weekly, @monthly, @yearly.
    timezone
        Whose clock it goes by, such as Europe/Berlin.
    name
        What to call it.
    version
        Always run this version of the graph. Without it the newest one runs, whichever that is then.
    missed
        About times at which no process ran the store: skip them, run once for all, or run for each.
    catch_up
        With --missed all: at most so many, the newest.
    overlap
        skip leaves a time out while the run before is not over.
    credentials
        KEY=ID gives credentials to all nodes that ask for KEY, as for `actbook run`. Repeat it for more keys.
    """
    from actbook.cli._session import run_async
    from actbook.cli._sources import read_simulation

    script = read_simulation(stand_ins.simulate_file)
    arguments: dict[str, Any] = {
        "inputs": given.read(),
        "cron": cron,
        "timezone": timezone,
        "name": name,
        "graph_version": version,
        "missed": missed,
        "catch_up": catch_up,
        "overlap": overlap,
        "simulate": stand_ins.simulate or script is not None,
        "simulation_script": script,
    }
    return run_async(_add(graph, arguments, credentials or (), options))


def ls(*, options: Options = DEFAULTS) -> int:
    """Lists schedules, oldest first."""
    from actbook.cli._session import run_async

    return run_async(_ls(options))


def upcoming(
    schedule: str | None = None,
    /,
    *,
    cron: str | None = None,
    timezone: str = "UTC",
    count: int = 5,
    options: Options = DEFAULTS,
) -> int:
    """Tells when a schedule, or a cron expression, is due next.

    Parameters
    ----------
    schedule
        A schedule, by its id or the beginning of it. Leave it out to try a cron expression.
    cron
        The cron expression to try.
    timezone
        Its time zone.
    count
        How many times.
    """
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if count < 1:
        raise UsageError(f"--count {count} tells nothing. Give a number from 1 on.")
    if (schedule is None) == (cron is None):
        raise UsageError("Name a schedule, or give an expression with --cron, one of them.")
    if cron is not None:
        return _tell_moments(_of_expression(cron, timezone, count), timezone, options)
    return run_async(_upcoming(str(schedule), count, options))


def pause(*ids: Id, options: Options = DEFAULTS) -> int:
    """Runs nothing of a schedule until it is resumed. What would be due meanwhile does not count as missed.

    Parameters
    ----------
    ids
        Schedules, by id or the beginning of one; - reads ids from stdin.
    """
    return _change("pause_schedule", ids, options)


def resume(*ids: Id, options: Options = DEFAULTS) -> int:
    """Lets a paused schedule run again from now on.

    Parameters
    ----------
    ids
        Schedules, by id or the beginning of one; - reads ids from stdin.
    """
    return _change("resume_schedule", ids, options)


def remove(*ids: Id, options: Options = DEFAULTS) -> int:
    """Removes schedules. Executions that they began go on, and their past stays.

    Parameters
    ----------
    ids
        Schedules, by id or the beginning of one; - reads ids from stdin.
    """
    return _change("remove_schedule", ids, options)


async def _add(
    given: str, arguments: dict[str, Any], credentials: Sequence[str], options: Options
) -> ExitCode:
    from actbook.cli._problems import InvalidError
    from actbook.cli._schedules import show_schedules
    from actbook.cli._session import opened
    from actbook.cli._vault import Vault, chosen
    from actbook.graphs import ActbookError

    document, user, vault = _document(given, arguments), options.user or "", Vault(options.store)
    async with opened(options.store, candidate=False, credentials=vault) as engine:
        if document is None:
            graph = await engine.graph(given, arguments["graph_version"], user)
        else:
            graph = await engine.save_graph(document, user)
        arguments["graph_credentials_inputs"] = await chosen(vault, user, graph, credentials)
        try:
            schedule = await engine.add_schedule(graph.id, user, **arguments)
        except ActbookError:
            raise
        except ValueError as error:
            raise InvalidError(" ".join(str(error).split())) from None
        show_schedules([schedule], options, one=True)
        _tell_who_runs(engine, options)
    return ExitCode.OK


def _document(given: str, arguments: dict[str, Any]) -> Any:
    """The graph of a file, with the inputs checked; None when an id was given."""
    from actbook.cli._inputs import check_inputs
    from actbook.cli._sources import blocks_of, read_graph

    path = Path(given)
    if not (path.exists() or path.suffix == ".json"):
        return None
    graph = read_graph(path)
    blocks = blocks_of(graph, arguments["simulate"], arguments["simulation_script"])
    check_inputs(graph.input_schema(blocks), arguments["inputs"])
    return graph


async def _ls(options: Options) -> ExitCode:
    from actbook.cli._schedules import show_schedules
    from actbook.cli._session import reading

    async with reading(options) as engine:
        show_schedules(await engine.schedules(options.user), options)
    return ExitCode.OK


async def _upcoming(given: str, count: int, options: Options) -> ExitCode:
    from actbook.actors import wall_clock
    from actbook.cli._schedules import find
    from actbook.cli._session import reading

    async with reading(options) as engine:
        schedule = await find(engine, given, options.user)
        return _tell_moments(schedule.upcoming(wall_clock(), count), schedule.spec.timezone, options)


def _of_expression(cron: str, timezone: str, count: int) -> list[int]:
    from itertools import islice

    from actbook.actors import wall_clock
    from actbook.events import Cron

    return list(islice(Cron(cron, timezone).after(wall_clock()), count))


def _tell_moments(moments: Sequence[int], timezone: str, options: Options) -> ExitCode:
    from actbook.cli._printing import note, print_ids, print_json, show
    from actbook.cli._records import iso
    from actbook.cli._schedules import local

    if options.output == "json":
        print_json([iso(each) for each in moments])
    elif options.output == "ids":
        print_ids(str(iso(each)) for each in moments)
    else:
        for each in moments:
            show(local(each, timezone))
        if not moments:
            note("It is paused; `actbook schedule resume` lets it run again.")
    return ExitCode.OK


def _change(method: str, ids: Sequence[str], options: Options) -> int:
    from actbook.cli._ids import ids_of
    from actbook.cli._session import run_async

    return run_async(_changed(method, ids_of(ids), options))


async def _changed(method: str, ids: list[str], options: Options) -> ExitCode:
    """Without an owner nobody becomes it: the next one reads what was decided."""
    from actbook.cli._schedules import find, show_schedules
    from actbook.cli._session import reading

    async with reading(options) as engine:
        found = [await find(engine, each, options.user) for each in ids]
        changed = [await getattr(engine, method)(options.user, each.id) for each in found]
        show_schedules(changed, options)
    return ExitCode.OK


def _tell_who_runs(engine: Engine, options: Options) -> None:
    from actbook.cli._printing import note

    if engine.owner is None:
        note("Nobody runs this store now: `actbook worker` does.", options.output)
