"""Whose the versions of a graph are, and who may use them; folded from the graph's stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from actbook.events import Envelope, Event, GraphAdopted, GraphSaved, GraphShared, GraphUnshared


class SavedVersion(NamedTuple):
    """`place`: the version of the stream at which the definition stands."""

    content: str
    user_id: str
    place: int


class GraphRecord:
    """The versions of one graph id, in the order in which they were saved.

    A version belongs to who saved it. Others may use it when they saved the same content themselves, when it was shared
    with them or with everybody, or when it was saved without a user. A `user_id` of None is the operator.
    """

    def __init__(self) -> None:
        self.count = 0
        self.versions: dict[int, SavedVersion] = {}
        self.adopted: set[tuple[int, str]] = set()
        self.shared: set[tuple[str, str | None]] = set()

    def fold(self, events: Iterable[Envelope]) -> None:
        """Takes note of recorded events; those it knows already change nothing."""
        for envelope in events:
            if envelope.version == self.count + 1:
                self.apply(envelope.payload)

    def apply(self, event: Event) -> None:
        """Takes note of the stream's next event."""
        self.count += 1
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def is_own(self, version: int, user_id: str | None) -> bool:
        """Whether no later event can take the version from the user."""
        saved = self.versions.get(version)
        return saved is not None and (user_id is None or saved.user_id in ("", user_id))

    def trusts(self, version: int, user_id: str | None) -> bool:
        """Whether who saved the version means the user to have it."""
        saved = self.versions.get(version)
        if saved is None:
            return False
        shared = self.shared
        return (
            self.is_own(version, user_id)
            or (saved.user_id, None) in shared
            or (saved.user_id, user_id) in shared
        )

    def allows(self, version: int, user_id: str | None) -> bool:
        """Whether the user may run and read the version."""
        return self.trusts(version, user_id) or (version, user_id) in self.adopted

    def newest(self, user_id: str | None) -> int | None:
        """The version that was saved last, of those that the user may use."""
        return next((each for each in reversed(self.versions) if self.allows(each, user_id)), None)

    def newest_of(self, user_id: str) -> int | None:
        """The version that the user saved last."""
        return next(
            (each for each in reversed(self.versions) if self.versions[each].user_id == user_id), None
        )

    def shares(self, user_id: str, with_user: str | None) -> bool:
        """Whether a user shares his versions with another one, or, None, with everybody."""
        return (user_id, with_user) in self.shared


def _saved(record: GraphRecord, event: GraphSaved) -> None:
    record.versions[event.version] = SavedVersion(event.content, event.user_id, record.count)


def _adopted(record: GraphRecord, event: GraphAdopted) -> None:
    record.adopted.add((event.version, event.user_id))


def _shared(record: GraphRecord, event: GraphShared) -> None:
    record.shared.add((event.user_id, event.with_user))


def _unshared(record: GraphRecord, event: GraphUnshared) -> None:
    record.shared.discard((event.user_id, event.with_user))


_HANDLERS: dict[type[Event], Callable[[GraphRecord, Any], None]] = {
    GraphSaved: _saved,
    GraphAdopted: _adopted,
    GraphShared: _shared,
    GraphUnshared: _unshared,
}
