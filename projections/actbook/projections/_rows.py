"""The rows that a batch of events changes, on top of those that are in the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actbook.projections._statements import Statement, Statements
from actbook.projections._table import Key, Row

CACHED = 8192

Select = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
"""Runs a SELECT and returns all its rows."""


class RowCache:
    """Rows as they are in the table, those used last: between `CACHED` and twice as many.

    True as long as nobody else writes to the table; whoever finds out that somebody did clears it.
    """

    def __init__(self, statements: Statements, select: Select, beside: Sequence[RowCache] = ()) -> None:
        self.table = statements.table
        self.beside = beside
        self.statements = statements
        self.blank = statements.table.blank()
        self._select = select
        self._young: dict[Key, Row] = {}
        self._old: dict[Key, Row] = {}

    def take(self, key: Key) -> Row | None:
        """The row, to be changed or only looked at; None when there is none."""
        row = self._young.get(key)
        if row is None:
            row = self._old.pop(key, None)
            if row is None:
                found = self._select(self.statements.by_key, self.table.key_values(key))
                if not found:
                    return None
                row = dict(zip(self.statements.names, found[0], strict=True))
            self._young[key] = row
        return row

    def where(self, **values: Any) -> list[Row]:
        """Rows of the table by the values of some columns; not through the cache."""
        found = self._select(self.statements.select(tuple(values)), tuple(values.values()))
        return [dict(zip(self.statements.names, row, strict=True)) for row in found]

    def keep(self, rows: Rows) -> None:
        """The rows are in the table now."""
        young = self._young
        for key in rows.deleted:
            young.pop(key, None)
            self._old.pop(key, None)
        young.update(rows)
        if len(young) >= CACHED:
            self._old = young
            self._young = {}
        for cache in self.beside:
            cache.keep(rows.beside[cache.table.name])

    def clear(self) -> None:
        self._young.clear()
        self._old.clear()
        for cache in self.beside:
            cache.clear()


class Rows(dict[Key, Row]):
    """What a reducer sees of its table, and what it leaves there.

    `rows[key]` is the row to change (in place; `KeyError` when there is none), `rows[key] = row` puts a whole one. Everything
    that was got or put this way is written when the batch is through, once, however often it was changed.
    `beside`: those of the projection's further tables, by name.
    """

    __slots__ = ("_cache", "beside", "deleted")

    def __init__(self, cache: RowCache) -> None:
        super().__init__()
        self._cache = cache
        self.beside = {each.table.name: Rows(each) for each in cache.beside}
        self.deleted: set[Key] = set()

    def __missing__(self, key: Key) -> Row:
        row = None if key in self.deleted else self._cache.take(key)
        if row is None:
            raise KeyError(f"table {self._cache.table.name} has no row {key!r}")
        dict.__setitem__(self, key, row)
        return row

    def __setitem__(self, key: Key, row: Row) -> None:
        self._cache.statements.check(row)
        self.deleted.discard(key)
        dict.__setitem__(self, key, row)

    def fresh(self, key: Key) -> Row:
        """Puts a new row of defaults in place of whatever there is, and returns it to be filled, its key too."""
        self.deleted.discard(key)
        row = self._cache.blank.copy()
        dict.__setitem__(self, key, row)
        return row

    def peek(self, key: Key) -> Row | None:
        """The row only to look at, or None."""
        row = self.get(key)
        if row is None and key not in self.deleted:
            return self._cache.take(key)
        return row

    def writes(self) -> list[Statement]:
        """Statements that write everything that was got or put, here and beside; not what was deleted."""
        found = list(self._cache.statements.upserts(list(self.values()))) if self else []
        for rows in self.beside.values():
            found += rows.writes()
        return found

    def deletions(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Statements that delete, here and beside, with the keys for each."""
        cache = self._cache
        keys = [cache.table.key_values(key) for key in self.deleted]
        found = [(cache.statements.delete, keys)] if keys else []
        for rows in self.beside.values():
            found += rows.deletions()
        return found

    def delete(self, key: Key) -> None:
        self.pop(key, None)
        self.deleted.add(key)

    def where(self, **values: Any) -> list[Row]:
        """Rows to change by the values of some columns. Costs a read of the table: for rare events."""
        table = self._cache.table
        for row in self._cache.where(**values):
            key = table.key_of(row)
            if key not in self and key not in self.deleted:
                dict.__setitem__(self, key, row)
        return [row for row in self.values() if all(row[name] == value for name, value in values.items())]
