"""The table of a projection, declared once: its SQL, its documentation and the form of its rows come from here."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

Row = dict[str, Any]
"""Column → value, with every stored column of the table in the table's order."""

Key = Any
"""Value of the key column; a tuple of values when the key has several columns."""


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

    A column whose default is None may be NULL; others never are. `key` names a row. `ordered_by` is an
    integer column, unique and growing from row to row. Rows are stored in the order in which they came:
    stored along the key, the rows of many executions at a time would touch a page each. `along_key` stores
    them that way, for few rows that are changed again and again.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    ordered_by: str = ""
    along_key: bool = False

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
        how = " WITHOUT ROWID" if self.along_key else ""
        statements = [f"CREATE TABLE {target}(\n  " + ",\n  ".join(lines) + f"\n){how}"]
        for index in self.indexes:
            name = "_".join((self.name, *index.columns)) + suffix
            where = f" WHERE {index.where}" if index.where else ""
            statements.append(f"CREATE INDEX {name} ON {target}({', '.join(index.columns)}){where}")
        return statements

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
