"""What a projection is: a table, and how each event changes its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from actbook.events import Envelope, Event
from actbook.projections._errors import ProjectionDefinitionError
from actbook.projections._rows import Rows
from actbook.projections._table import Table
from actbook.projections._unreadable import Unreadable

Handler = Callable[[Any, Envelope, Any, Rows], None]

H_ = TypeVar("H_", bound=Handler)


def handles(*kinds: type[Event]) -> Callable[[H_], H_]:
    """Method decorator: calls it with `(event, event.payload, rows)` for events of these types."""

    def mark(handler: H_) -> H_:
        handler.__handles__ = kinds  # type: ignore[attr-defined]
        return handler

    return mark


class Projection:
    """Base of all views: a `table` and one method per event type that changes it, marked with `handles`.

    The methods are pure: rows follow from events alone, never from a clock, chance or another table. So a
    rebuild gives the same rows. They see the events in log order, each once. One that raises parks the event
    and what follows it in its stream; so does an event that can't be decoded. Raise `version` when the rows would
    come out differently: the table is then filled again.

    `further`: more tables that the same handlers fill, in the same transaction; `rows.beside` has their rows.
    """

    table: ClassVar[Table]
    further: ClassVar[tuple[Table, ...]] = ()
    version: ClassVar[int] = 1
    _kinds: ClassVar[dict[type[Event], str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not isinstance(getattr(cls, "table", None), Table):
            raise ProjectionDefinitionError(
                f"Projection {cls.__name__} has no table: set `table = Table(...)`."
            )
        cls._kinds = {}
        for name in dir(cls):
            for kind in getattr(getattr(cls, name), "__handles__", ()):
                if kind in cls._kinds:
                    raise ProjectionDefinitionError(
                        f"Projection {cls.__name__} handles {kind.__name__} twice."
                    )
                cls._kinds[kind] = name

    def __init__(self) -> None:
        self._handlers: dict[type[Event], Callable[[Envelope, Any, Rows], None]] = {
            kind: getattr(self, name) for kind, name in self._kinds.items()
        }
        self._handlers[Unreadable] = self._unreadable
        self._topics = {kind.TOPIC for kind in self._kinds}
        self._reduces_as_said = type(self).reduce is Projection.reduce

    @classmethod
    def tables(cls) -> tuple[Table, ...]:
        """Everything that it fills."""
        return (cls.table, *cls.further)

    @property
    def name(self) -> str:
        """Name of the projection and of its table."""
        return self.table.name

    def reduce(self, events: Sequence[Envelope], rows: Rows) -> None:
        """Lets the events change the rows, in order."""
        handler_of = self._handlers.get
        for event in events:
            payload = event.payload
            handler = handler_of(type(payload))
            if handler is not None:
                handler(event, payload, rows)

    def ignores(self, kinds: set[type[Event]]) -> bool:
        """Would `reduce` do nothing with events of these types?"""
        return self._reduces_as_said and kinds.isdisjoint(self._handlers)

    def _unreadable(self, event: Envelope, payload: Unreadable, rows: Rows) -> None:
        if payload.concerns(self._topics):
            raise payload.error


def names_of(projections: Sequence[type[Projection]]) -> list[str]:
    """Sorted; raises `ProjectionDefinitionError` when two fill the same table."""
    taken: set[str] = set()
    for projection in projections:
        for table in projection.tables():
            if table.name in taken:
                raise ProjectionDefinitionError(
                    f"Projection {projection.__name__} fills the table {table.name}, which another one fills: name it differently."
                )
            taken.add(table.name)
    return sorted(projection.table.name for projection in projections)
