"""`actbook import`."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.replay.export import Imported


def import_file(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)], /, *, options: Options = DEFAULTS
) -> int:
    """Brings what `export` wrote into the store: the identical history. Nothing of it runs.

    Parameters
    ----------
    file
        JSON lines of CloudEvents, as `export` writes them; - reads them from stdin.
    """
    from actbook.cli._problems import MissingError
    from actbook.cli._session import run_async

    if file != "-" and not Path(file).is_file():
        raise MissingError(f"There is no file {file}. `actbook export -o FILE` makes one.")
    return run_async(_import(file, options))


async def _import(file: str, options: Options) -> ExitCode:
    from actbook.cli._session import opened
    from actbook.replay.export import import_cloudevents

    with tempfile.TemporaryDirectory() as folder:
        path = Path(file)
        if file == "-":
            path = Path(folder, "stdin")
            await asyncio.to_thread(_keep_stdin, path)
        async with opened(options.store, candidate=False) as engine:
            done = await asyncio.to_thread(import_cloudevents, engine.journal.store, path)
            await engine.journal.heard()
            if engine.journal.ring is not None:
                engine.journal.ring()
    _print(done, options)
    return ExitCode.OK


def _keep_stdin(path: Path) -> None:
    """An import reads twice: nothing is stored before every line was checked."""
    with path.open("wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)


def _print(done: Imported, options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json, show

    if options.output == "json":
        print_json({"events": done.events, "known": done.known, "executions": list(done.executions)})
    elif options.output == "ids":
        print_ids(done.executions)
    else:
        known = f"; {done.known} were there already" if done.known else ""
        show(f"{done.events} events of {len(done.executions)} executions imported{known}.")
