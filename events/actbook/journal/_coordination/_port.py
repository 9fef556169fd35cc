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
    """Who runs executions, and a bell that tells every process of a commit by another.

    On a file or in memory there is one owner at a time, who runs all of them and leads. On a shared store each owner runs what
    it has claimed, and one of them leads.

    A bell carries nothing and stands for any number of commits: whoever hears it reads the journal from where
    it was. It may ring once too often, never once too few. Start and close on the same event loop; one life,
    no restart.
    """

    @property
    def is_owner(self) -> bool:
        """Whether this process may run executions.

        Becomes true before `on_owner` is called, false by `close`, or on a shared store when others took it for dead.
        """
        ...

    @property
    def leads(self) -> bool:
        """Whether this process is the owner that does what only one may: schedules, checkpoints, retention."""
        ...

    @property
    def owner(self) -> OwnerInfo | None:
        """The owner that leads, as far as this process knows, itself included; None while there is none."""
        ...

    async def start(
        self,
        on_bell: Callable[[], None],
        on_owner: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Find this process's place; when it returns, `is_owner` and `owner` are settled.

        Does not wait for others.

        All callbacks run on the current event loop, never inside this call. `on_owner` comes once, and again after
        each `rejoin`; the journal must be read from then on: what was committed before it rings no further bell.
        `on_change` comes on shared stores: when there may be something to claim, when `leads` has changed, or `is_owner` is
        false again.
        `on_bell` comes once for any number of bells that arrived since the last turn of the loop. Raises
        CoordinationError.
        """
        ...

    def ring(self) -> None:
        """Tell the others that something was committed.

        From any thread, never blocks; nothing before start or after close.
        """
        ...

    def rejoin(self, worker_id: str) -> None:
        """After `is_owner` was lost: becomes an owner again, under another name. Nothing of the former may be on its way."""
        ...

    async def close(self) -> None:
        """Give up ownership, if held, so that another process takes over at once.

        No callback comes after it. Idempotent.
        """
        ...
