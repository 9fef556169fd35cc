"""Keeps a forked child from keeping its parent's ownership and connections alive.

Close-on-exec covers children that start another program. A bare fork shares every open file description: the
kernel would hold the lock, and hide the end of the connections, until the child ends too. So a child closes
its copies first thing. It only closes them: unlocking, or touching the inherited event loop, would act on the
parent. Children made by native code that bypasses Python's fork hooks are not covered.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Inheritable(Protocol):
    def abandon(self) -> None:
        """Close every descriptor in a child, with no effect on the parent."""
        ...


no_fork = threading.RLock()
"""Held while descriptors are opened and not yet remembered by who will abandon them; a fork waits for it."""

_living: WeakSet[Inheritable] = WeakSet()


def register(holder: Inheritable) -> None:
    with no_fork:
        _living.add(holder)


def unregister(holder: Inheritable) -> None:
    with no_fork:
        _living.discard(holder)


def _abandon_all() -> None:
    for holder in list(_living):
        holder.abandon()
    _living.clear()
    no_fork.release()


os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=_abandon_all)
