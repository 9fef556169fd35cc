"""Which dispatcher runs handlers on this thread."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actbook.actors._runtime._dispatcher import Dispatcher

__all__ = ["host", "interrupt_main", "may_block"]


class _Host(threading.local):
    dispatcher: Dispatcher | None = None


host = _Host()


def may_block() -> bool:
    """Whether a blocking wait on this thread holds up neither actors nor an event loop."""
    if host.dispatcher is not None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def interrupt_main() -> None:
    """Have KeyboardInterrupt raised in the main thread, also while it waits for a lock."""
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGINT)
