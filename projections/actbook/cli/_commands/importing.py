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
    from actbook.cli._problems import MissingError, UsageError
    from actbook.cli._session import run_async

    if file != "-" and not Path(file).exists():
        raise MissingError(f"There is no file {file}. `actbook export -o FILE` makes one.")
    if Path(file).is_dir():
        raise UsageError(f"{file} is a folder. Name a file that `actbook export -o FILE` made.")
    return run_async(_import(file, options))


async def _import(file: str, options: Options) -> ExitCode:
    from actbook.cli._session import opened
    from actbook.replay.export import DamagedExportError, import_cloudevents

    with tempfile.TemporaryDirectory() as folder:
        path = Path(file)
        if not path.is_file():
            path = Path(folder, "copy")
            await asyncio.to_thread(_keep, file, path)
        async with opened(options.store, candidate=False) as engine:
            try:
                done = await asyncio.to_thread(import_cloudevents, engine.journal.store, path)
            except DamagedExportError as error:
                raise DamagedExportError(_called(file), error.line, error.reason) from None
            await engine.journal.heard()
            if engine.journal.ring is not None:
                engine.journal.ring()
    _print(done, options)
    return ExitCode.OK


def _keep(file: str, path: Path) -> None:
    """An import reads twice, and a pipe can't be: nothing is stored before every line was checked."""
    with path.open("wb") as copy:
        if file == "-":
            shutil.copyfileobj(sys.stdin.buffer, copy)
            return
        with Path(file).open("rb") as source:
            shutil.copyfileobj(source, copy)


def _called(file: str) -> str:
    """For people, who know nothing of a copy."""
    return "stdin" if file == "-" else file


def _print(done: Imported, options: Options) -> None:
    from actbook.cli._printing import print_ids, print_json, show

    if options.output == "json":
        print_json({"events": done.events, "known": done.known, "executions": list(done.executions)})
    elif options.output == "ids":
        print_ids(done.executions)
    else:
        known = f"; {done.known} were there already" if done.known else ""
        show(f"{done.events} events of {len(done.executions)} executions imported{known}.")
