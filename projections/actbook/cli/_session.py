"""Running a command's coroutine with an engine on the chosen store."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from actbook.cli._exit_codes import ExitCode
from actbook.cli._problems import Left, MachineError, MissingError

if TYPE_CHECKING:
    from actbook.cli._options import Place
    from actbook.engine import Engine

T = TypeVar("T")

LOG = "ACTBOOK_LOG"
BILLING = "ACTBOOK_BILLING"
_SQLITE = "sqlite:///"
_LIBRARIES = ("aiormq", "aio_pika")
"""What they complain about while a broker is away is said in other words."""


def run_async(command: Coroutine[Any, Any, T]) -> T:
    """Runs a command to its end. SIGTERM lets go in order; Ctrl-C does too, unless the command handles it itself."""
    _set_up_logs()
    return asyncio.run(_until_ended(command))


async def _until_ended(command: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(command)
    ended: list[int] = []

    def end() -> None:
        ended.append(signal.SIGTERM)
        task.cancel()

    with on_signal(signal.SIGTERM, end):
        try:
            return await task
        except asyncio.CancelledError:
            if ended:
                raise Left(ExitCode.ENDED) from None
            raise


@contextmanager
def on_signal(number: signal.Signals, callback: Callable[[], None]) -> Iterator[None]:
    """Calls back on the loop while the block runs. Only the main thread gets signals; elsewhere this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(number)
    loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        loop.remove_signal_handler(number)
        signal.signal(number, before)


@asynccontextmanager
async def reading(options: Place) -> AsyncIterator[Engine]:
    """An engine that runs nothing, on a store that is there. Raises `MissingError` when it is not."""
    check_exists(options.store)
    async with opened(options.store, candidate=False) as engine:
        yield engine


@asynccontextmanager
async def opened(store: str, **settings: Any) -> AsyncIterator[Engine]:
    """An engine; the store is created when there is none."""
    from actbook.engine import Engine, settings_from_environment, tune_process

    check_place(store)
    tune_process()
    # A verb that runs something takes no messages unless it says so.
    settings = settings_from_environment(bridges=False, **settings)
    if os.environ.get(BILLING):
        from actbook.engine.billing import Billing

        settings.setdefault("billing", Billing())
    if "credentials" not in settings:
        from actbook.cli._vault import Vault

        settings["credentials"] = Vault(store)
    with _with_keys(store, settings):
        async with Engine.open(store, **settings) as engine:
            yield engine


@contextmanager
def _with_keys(store: str, settings: dict[str, Any]) -> Iterator[None]:
    """Payload keys among the settings, when a variable names their master key."""
    if not (os.environ.get("ACTBOOK_PAYLOAD_KEY") or os.environ.get("ACTBOOK_PAYLOAD_KEY_FILE")):
        yield
        return
    from actbook.cli._payload_keys import payload_keys

    with payload_keys(store) as keys:
        yield settings.setdefault("payload_keys", keys)


def path_of(store: str) -> Path | None:
    """The file of an SQLite store; None for any other."""
    rest = store.removeprefix(_SQLITE)
    return Path(unquote(rest)) if store.startswith(_SQLITE) and rest else None


def is_postgres(store: str) -> bool:
    """Whether the store is in a database server."""
    return store.partition(":")[0] in ("postgresql", "postgres")


def check_exists(store: str) -> None:
    """A verb that only looks does not create a store."""
    if is_postgres(store):
        from actbook.cli._postgres_store import check_schema_exists

        check_schema_exists(store)
        return
    path = path_of(store)
    if path is not None and not path.exists():
        raise MissingError(
            f"There is no store at {path}."
            " Name the right one with --store or ACTBOOK_STORE; `actbook run` makes a new one."
        )


def check_place(store: str) -> None:
    """What SQLite would only call "unable to open database file", with the cause."""
    path = path_of(store)
    if path is None:
        return
    folder = path.parent
    if not folder.is_dir():
        raise MachineError(
            f"The folder {folder} of the store does not exist. Create it, or name another with --store."
        )
    if path.is_dir():
        raise MachineError(
            f"{path} is a folder, not a store. Name a file in it: sqlite:///{path}/actbook.db."
        )
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise MachineError(
            f"No permission to read and write {path}. Change it (chmod u+rw), or copy the file with its -wal."
        )
    if not os.access(folder, os.W_OK):
        raise MachineError(
            f"No permission to write into {folder}, where the store keeps its log. Change it (chmod u+w)."
        )


def _set_up_logs() -> None:
    """Logs would tear up the picture: they are shown only when asked for, by level."""
    logger = logging.getLogger("actbook")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    level = os.environ.get(LOG, "").upper()
    if level in logging.getLevelNamesMapping():
        logger.setLevel(level)
        shown = logging.StreamHandler()
        shown.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(shown)
    else:
        logger.addHandler(logging.NullHandler())
    logger.propagate = False
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
