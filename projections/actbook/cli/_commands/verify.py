"""`actbook verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from actbook.journal import Store
    from actbook.replay import Checked
    from actbook.replay.proof import Checkpoint, VerifierKey

    Source = Store | Path


def verify(
    *ids: Id,
    everything: Annotated[bool, Parameter(name="--all", negative=())] = False,
    key: list[str] | None = None,
    checkpoint: list[Path] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Checks that a recorded history is whole: hash chain, versions, contents, legal status changes, snapshots.

    A file is only read, also one that nobody has open, such as a copy.

    Parameters
    ----------
    ids
        Executions, by id or the beginning of one; - reads ids from stdin.
    everything
        Every stream of the store, its log as a whole, its tables, views and checkpoints. With --user that user's executions.
    key
        A public key of who signs checkpoints, or a file with it. Repeat it for more. Without one signatures are not checked.
    checkpoint
        A file with a checkpoint that was kept elsewhere: finds also a history that was rewritten as a whole.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._notes import read_checkpoint, read_key
    from actbook.cli._problems import UsageError
    from actbook.cli._verification import print_checked

    if everything and ids:
        raise UsageError("Give ids or --all, not both.")
    if (key or checkpoint) and (not everything or options.user is not None):
        raise UsageError("Checkpoints are of the whole store: give --all, without --user.")
    wanted = [] if everything else ids_of(ids)
    keys, kept = [read_key(each) for each in key or ()], [read_checkpoint(each) for each in checkpoint or ()]
    return _with_source(
        options, lambda source: print_checked(_checked(source, wanted, keys, kept, options), options)
    )


def _with_source(options: Options, work: Callable[[Source], ExitCode]) -> ExitCode:
    """A file is looked at as it is; another store has to be opened for that."""
    from actbook.cli._session import check_exists, path_of, run_async

    path = path_of(options.store)
    if path is None:
        return run_async(_with_store(options, work))
    check_exists(options.store)
    return work(path)


async def _with_store(options: Options, work: Callable[[Source], ExitCode]) -> ExitCode:
    import asyncio

    from actbook.cli._session import reading

    async with reading(options) as engine:
        return await asyncio.to_thread(work, engine.journal.store)


def _checked(
    source: Source,
    ids: Sequence[str],
    keys: Sequence[VerifierKey],
    kept: Sequence[Checkpoint],
    options: Options,
) -> Iterator[Checked]:
    from actbook.cli._verification import Counter, views_too
    from actbook.replay import verify_store, verify_streams

    if ids:
        for given in ids:
            yield from _execution(source, given, options.user)
    elif options.user is not None:
        yield from verify_streams(source, user_id=options.user)
    else:
        with Counter(options.output) as counter:
            yield from views_too(source, verify_store(source, keys=keys, checkpoints=kept, progress=counter))


def _execution(source: Source, given: str, user: str | None) -> Iterator[Checked]:
    """An execution, and its inbox if something is wrong there."""
    from actbook.cli._ids import one_of
    from actbook.events import inbox_of
    from actbook.replay import find_executions, verify_streams

    execution_id = one_of(given, find_executions(source, given, user) if given else [])
    yield from verify_streams(source, [execution_id])
    for inbox in verify_streams(source, [inbox_of(execution_id)]):
        if inbox.events and not inbox.ok:
            yield inbox
