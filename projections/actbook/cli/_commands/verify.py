"""`actbook verify`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.engine import Engine
    from actbook.journal import Fault


def verify(
    *ids: Id,
    everything: Annotated[bool, Parameter(name="--all", negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Checks that a recorded history is whole: hash chain, versions, legal status changes.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    everything
        Every stream of the store: executions, inboxes, graphs.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if everything and ids:
        raise UsageError("Give ids or --all, not both.")
    return run_async(_verify([] if everything else ids_of(ids), options))


async def _verify(ids: list[str], options: Options) -> ExitCode:
    """No ids: every stream."""
    from actbook.cli._session import reading

    checked: list[dict[str, Any]] = []
    async with reading(options) as engine:
        async for stream, events, faults in _checks(engine, ids, options.user):
            checked.append(
                {
                    "id": stream,
                    "ok": not faults,
                    "events": events,
                    "faults": [
                        {"version": f.version, "position": f.position, "kind": f.kind, "message": f.message}
                        for f in faults
                    ],
                }
            )
    _print(checked, options)
    return ExitCode.OK if all(each["ok"] for each in checked) else ExitCode.FAULTY


async def _checks(
    engine: Engine, ids: list[str], user: str | None
) -> AsyncIterator[tuple[str, int, Sequence[Fault]]]:
    from actbook.cli._ids import execution_id

    for given in ids:
        stream = await execution_id(engine, given)
        if user is not None:
            await engine.get_graph_execution(stream, user)
        yield await _check(engine, stream)
    after = ""
    while not ids:
        page = await asyncio.to_thread(engine.journal.store.stream_ids, after, 500)
        for stream in page:
            yield await _check(engine, stream)
        if len(page) < 500:
            return
        after = page[-1]


async def _check(engine: Engine, stream: str) -> tuple[str, int, Sequence[Fault]]:
    from actbook.journal import UndecodableError, verify_chain
    from actbook.replay import History

    rows = await asyncio.to_thread(engine.journal.store.read_rows, stream)
    faults = verify_chain(rows)
    if not faults and ":" not in stream:
        try:
            faults = (await History.load(engine.journal, stream)).verify()
        except UndecodableError as error:
            faults = [_unreadable(stream, error.version, str(error))]
    return stream, len(rows), faults


def _unreadable(stream: str, version: int, message: str) -> Fault:
    from actbook.journal import Fault

    return Fault(stream, version, 0, "edited", message)


def _print(checked: list[dict[str, Any]], options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json

    if options.output == "json":
        print_json(checked)
    elif options.output == "ids":
        print_ids(each["id"] for each in checked if not each["ok"])
    else:
        _show(checked)


def _show(checked: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from actbook.cli._printing import show
    from actbook.cli._statuses import look

    good, bad = look("COMPLETED"), look("FAILED")
    sound = [each for each in checked if each["ok"]]
    for each in sound if len(sound) <= 20 else ():
        show(
            Text.assemble(
                (good.glyph, good.style), f" {each['id']}  {each['events']} events, whole and legal"
            )
        )
    for each in checked:
        for fault in each["faults"]:
            show(
                Text.assemble(
                    (bad.glyph, bad.style),
                    f" {each['id']}  version {fault['version']} {fault['kind']}: {fault['message']}",
                )
            )
    events = sum(each["events"] for each in checked)
    if len(checked) > 1:
        show(f"{len(sound)} of {len(checked)} streams are sound, {events} events in all.")
