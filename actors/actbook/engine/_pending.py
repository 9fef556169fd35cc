"""Which executions that are over were asked to go on by this process."""

from __future__ import annotations

from collections.abc import Iterable

from actbook.events import GraphExecution


class PendingRevivals:
    """Requests to resume or retry that the owner has not handled yet, so that waiting for the end means the next one."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._inherited: set[str] = set()

    def inherit(self, execution_ids: Iterable[str]) -> None:
        """Others may have asked these to go on before this process became the owner."""
        self._inherited.update(execution_ids)

    def is_inherited(self, execution_id: str) -> bool:
        """Whether somebody else may have asked for it, and it was not looked at since."""
        return execution_id in self._inherited

    def looked_at(self, execution_id: str) -> None:
        """Its owner has heard everything that had been asked for."""
        if self._inherited:
            self._inherited.discard(execution_id)

    def add(self, execution_id: str, version: int) -> None:
        """A request stands in the execution's inbox at this version."""
        self._versions[execution_id] = max(version, self._versions.get(execution_id, 0))

    def concern(self, state: GraphExecution) -> bool:
        """Whether a request is newer than what this state has heard of."""
        if not self._versions:
            return False
        version = self._versions.get(state.id, 0)
        if version > state.inbox_version:
            return True
        self._versions.pop(state.id, None)
        return False
