"""What an engine needs to know about the other processes on its journal."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec


class OwnerInfo(msgspec.Struct, frozen=True):
    """The process that runs the executions; `started_at` (UTC) is when it became the owner."""

    pid: int
    worker_id: str
    started_at: datetime


class Coordinator(Protocol):
    """Exactly one owner at a time, and a bell that tells every process of a commit by another.

    A bell carries nothing and stands for any number of commits: whoever hears it reads the journal from where
    it was. It may ring once too often, never once too few. Start and close on the same event loop; one life,
    no restart.
    """

    @property
    def is_owner(self) -> bool:
        """Whether this process may run executions.

        Becomes true before `on_owner` is called, false only by `close`.
        """
        ...

    @property
    def owner(self) -> OwnerInfo | None:
        """The owner this process is in touch with, itself included; None while there is none."""
        ...

    async def start(self, on_bell: Callable[[], None], on_owner: Callable[[], None]) -> None:
        """Find this process's place; when it returns, `is_owner` and `owner` are settled.

        Does not wait for others.

        Both callbacks run on the current event loop, never inside this call. `on_owner` comes at most once,
        and the journal must be read from then on: what was committed before it rings no further bell.
        `on_bell` comes once for any number of bells that arrived since the last turn of the loop. Raises
        CoordinationError.
        """
        ...

    def ring(self) -> None:
        """Tell the others that something was committed.

        From any thread, never blocks; nothing before start or after close.
        """
        ...

    async def close(self) -> None:
        """Give up ownership, if held, so that another process takes over at once.

        No callback comes after it. Idempotent.
        """
        ...
