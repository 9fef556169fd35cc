"""The table of a projection, declared once: its SQL, its documentation and the form of its rows come from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from actbook.projections._errors import ProjectionDefinitionError

Row = dict[str, Any]
"""Column → value, with every stored column of the table in the table's order."""

Key = Any
"""Value of the key column; a tuple of values when the key has several columns."""

CHUNK = 128
"""Most rows one statement writes."""


class Column(NamedTuple):
    """A column. `fixed`: never changes once the row is there. `generated`: an SQL expression instead of a stored value."""

    name: str
    type: Literal["TEXT", "INTEGER", "REAL"]
    doc: str
    default: Any = None
    fixed: bool = False
    generated: str = ""


class Index(NamedTuple):
    """An index over columns; `where` restricts it to some rows."""

    columns: tuple[str, ...]
    where: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table that a projection fills.

    A column whose default is None may be NULL; others never are. `key` names a row. `ordered_by` is an integer column, unique
    and growing from row to row, along which the rows are stored; without one they are stored along the key.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    ordered_by: str = ""

    @property
    def stored(self) -> tuple[str, ...]:
        """Names of the columns that are written."""
        return tuple(column.name for column in self.columns if not column.generated)

    def blank(self) -> Row:
        """A row of defaults, to be copied and filled."""
        return {column.name: column.default for column in self.columns if not column.generated}

    def ddl(self, target: str, suffix: str = "") -> list[str]:
        """Statements that create the table under the name `target`. `suffix` keeps index names apart."""
        lines = [_column_ddl(column, self.ordered_by) for column in self.columns]
        key = ", ".join(self.key)
        lines.append(f"UNIQUE({key})" if self.ordered_by else f"PRIMARY KEY({key})")
        end = ")" if self.ordered_by else ") WITHOUT ROWID"
        statements = [f"CREATE TABLE {target}(\n  " + ",\n  ".join(lines) + f"\n{end}"]
        for index in self.indexes:
            name = "_".join((self.name, *index.columns)) + suffix
            where = f" WHERE {index.where}" if index.where else ""
            statements.append(f"CREATE INDEX {name} ON {target}({', '.join(index.columns)}){where}")
        return statements

    def select(self, target: str, by: Sequence[str]) -> str:
        where = " AND ".join(f"{name}=?" for name in by)
        return f"SELECT {', '.join(self.stored)} FROM {target} WHERE {where}"

    def upserts(self, target: str, rows: Sequence[Row]) -> Iterable[tuple[str, list[Any]]]:
        """Statements with their values that write the rows, each of them whole.

        A statement of many rows instead of many statements: between two of them another thread may take the interpreter's
        lock for milliseconds while this one holds up the journal.
        """
        width = len(self.stored)
        for start, size in _chunks(len(rows)):
            chunk = rows[start : start + size]
            values: list[Any] = []
            for row in chunk:
                values += row.values()
            if len(values) != width * len(chunk):
                raise ProjectionDefinitionError(_misfit(self, chunk))
            values += list(chunk[-1].values()) * (size - len(chunk))
            yield _upsert(self, target, size), values

    def delete(self, target: str) -> str:
        return f"DELETE FROM {target} WHERE {' AND '.join(f'{name}=?' for name in self.key)}"

    def key_of(self, row: Row) -> Key:
        return row[self.key[0]] if len(self.key) == 1 else tuple(row[name] for name in self.key)

    def key_values(self, key: Key) -> tuple[Any, ...]:
        return (key,) if len(self.key) == 1 else key


def _column_ddl(column: Column, ordered_by: str) -> str:
    if column.name == ordered_by:
        return f"{column.name} INTEGER PRIMARY KEY"
    if column.generated:
        return f"{column.name} {column.type} GENERATED ALWAYS AS ({column.generated}) VIRTUAL"
    return f"{column.name} {column.type}" + ("" if column.default is None else " NOT NULL")


def _chunks(count: int) -> Iterable[tuple[int, int]]:
    """Splits `count` rows over few sizes, so that statements stay prepared. The last size may exceed the rest a little."""
    start = 0
    while count > 0:
        size = min(CHUNK, 1 << (count - 1).bit_length())
        if count < size - (size >> 2):
            size >>= 1
        yield start, size
        start += size
        count -= size


@lru_cache(maxsize=256)
def _upsert(table: Table, target: str, rows: int) -> str:
    names = table.stored
    fixed = {column.name for column in table.columns if column.fixed} | set(table.key) | {table.ordered_by}
    one = "(" + ",".join("?" * len(names)) + ")"
    changes = ",".join(f"{name}=excluded.{name}" for name in names if name not in fixed)
    conflict = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    values = ",".join([one] * rows)
    return (
        f"INSERT INTO {target}({','.join(names)}) VALUES {values} ON CONFLICT({','.join(table.key)}) {conflict}"
    )


def _misfit(table: Table, rows: Sequence[Row]) -> str:
    stored = set(table.stored)
    wrong = sorted(set().union(*(stored ^ set(row) for row in rows)))
    return (
        f"A row for table {table.name} has unknown or missing columns: {', '.join(wrong)}. Start from table.blank()."
    )
