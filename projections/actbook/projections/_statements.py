"""The SQL that reads and writes one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from actbook.projections._errors import ProjectionDefinitionError
from actbook.projections._table import Row, Table

CHUNK = 512
"""Most rows one statement writes."""

Statement = tuple[str, Sequence[Any]]


class Statements:
    """SQL for `table` under the name `target`, made once so that the database keeps it prepared."""

    def __init__(self, table: Table, target: str) -> None:
        self.table = table
        self.names = table.stored
        self._target = target
        self._upserts: dict[int, str] = {}
        self.by_key = self.select(table.key)
        self.delete = f"DELETE FROM {target} WHERE {' AND '.join(f'{name}=?' for name in table.key)}"

    def select(self, by: Sequence[str]) -> str:
        where = " AND ".join(f"{name}=?" for name in by)
        return f"SELECT {', '.join(self.names)} FROM {self._target} WHERE {where}"

    def upserts(self, rows: Sequence[Row]) -> Iterable[Statement]:
        """Statements that write the rows, each row whole.

        A statement of many rows instead of many statements: between two of them another thread may take the
        interpreter's lock for milliseconds while this one holds up the journal.
        """
        width, start = len(self.names), 0
        for size in _sizes(len(rows)):
            chunk = rows[start : start + size]
            start += size
            values: list[Any] = []
            for row in chunk:
                values += row.values()
            if len(values) != width * len(chunk):
                for row in chunk:
                    self.check(row)
            for _ in range(size - len(chunk)):
                values += chunk[-1].values()
            yield self._upserts.get(size) or self._upsert(size), values

    def check(self, row: Row) -> None:
        """Raises `ProjectionDefinitionError` for a row whose columns are not the table's, in the table's order."""
        if tuple(row) != self.names:
            wrong = ", ".join(sorted(set(self.names) ^ set(row))) or "in another order"
            raise ProjectionDefinitionError(
                f"A row for table {self.table.name} has other columns than the table ({wrong}): "
                "start from table.blank()."
            )

    def _upsert(self, rows: int) -> str:
        table, names = self.table, self.names
        fixed = {column.name for column in table.columns if column.fixed} | {*table.key, table.ordered_by}
        changes = ",".join(f"{name}=excluded.{name}" for name in names if name not in fixed)
        resolved = f"UPDATE SET {changes}" if changes else "NOTHING"
        one = "(" + ",".join("?" * len(names)) + ")"
        sql = (
            f"INSERT INTO {self._target}({','.join(names)}) VALUES {','.join([one] * rows)}"
            f" ON CONFLICT({','.join(table.key)}) DO {resolved}"
        )
        return self._upserts.setdefault(rows, sql)


def _sizes(count: int) -> Iterable[int]:
    """Splits `count` over few different sizes. The last one may exceed what is left a little; one row is repeated then."""
    while count > 0:
        size = min(CHUNK, 1 << (count - 1).bit_length())
        if count < size - (size >> 3):
            size >>= 1
        yield size
        count -= size
