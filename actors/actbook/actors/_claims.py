"""Claims: which executions of a store run in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Claims(Protocol):
    """Used on the engine's loop; nothing blocks."""

    def connect(self, room: Callable[[], int]) -> None:
        """Who says for how many more executions there is a place."""
        ...

    def owns(self, execution_id: str) -> bool:
        """Whether nobody else may run it."""
        ...

    def add(self, execution_id: str) -> None:
        """It is created here, or somebody gave it to this process."""
        ...

    def drop(self, execution_id: str) -> None:
        """It is over, waits for a person, or belongs to somebody else."""
        ...

    def want(self, execution_id: str, urgent: bool) -> None:
        """There is something to do for one that this process does not own. `urgent`: it is to stop, so it waits for no place."""
        ...

    def taken(self) -> int:
        """Places for what is being claimed just now, or was and has not come yet."""
        ...

    def came(self, execution_id: str) -> None:
        """Whoever gives the places has heard of it."""
        ...

    def room(self) -> None:
        """There may be a place for another one."""
        ...


class Everything:
    """On a store with one owner that owner runs all there is."""

    def connect(self, room: Callable[[], int]) -> None:
        """Nothing is claimed, so nobody asks."""

    def owns(self, execution_id: str) -> bool:
        return True

    def add(self, execution_id: str) -> None:
        """It is the owner's anyway."""

    def drop(self, execution_id: str) -> None:
        """The same."""

    def want(self, execution_id: str, urgent: bool) -> None:
        """There is none that this process does not own."""

    def taken(self) -> int:
        """None."""
        return 0

    def came(self, execution_id: str) -> None:
        """It always was here."""

    def room(self) -> None:
        """All that waits is in the supervisor's own line."""
