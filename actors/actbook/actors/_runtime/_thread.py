"""Which dispatcher runs handlers on this thread."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actbook.actors._runtime._dispatcher import Dispatcher

__all__ = ["host", "may_block"]


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
