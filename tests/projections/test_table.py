"""Declared tables become SQL that keeps rows whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projections.letters import LETTERS, LetterSeen

from actbook.projections import BUILT_IN, Column, Index, Projection, ProjectionDefinitionError, Table, handles
from actbook.projections._statements import CHUNK, Statements, _sizes

_OPENED: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def close_opened() -> Iterator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


def opened(table: Table) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _OPENED.append(connection)
    for statement in table.ddl(table.name):
        connection.execute(statement)
    return connection


@given(st.integers(0, 5000))
def test_sizes_cover_the_rows_with_few_statements(count: int) -> None:
    sizes = list(_sizes(count))
    assert sum(sizes[:-1]) < max(count, 1) <= max(sum(sizes), 1)
    assert sum(sizes) <= count * 1.25 + 1
    assert all(size & (size - 1) == 0 and size <= CHUNK for size in sizes)
    assert len(sizes) <= count // CHUNK + 6


@pytest.mark.parametrize("count", [0, 1, 3, 7, 100, 513, 1500])
def test_every_row_is_written_whole_and_once(count: int) -> None:
    connection = opened(LETTERS)
    statements = Statements(LETTERS, "letters")
    rows = [{**LETTERS.blank(), "letter": str(number), "count": number} for number in range(count)]
    for _ in range(2):
        for sql, values in statements.upserts(rows):
            connection.execute(sql, values)
    found = connection.execute("SELECT letter, count FROM letters ORDER BY count").fetchall()
    assert found == [(str(number), number) for number in range(count)]
    connection.close()


def test_fixed_columns_keep_their_first_value() -> None:
    connection = opened(LETTERS)
    statements = Statements(LETTERS, "letters")
    for first, count in ((1, 1), (2, 5)):
        for sql, values in statements.upserts([{"letter": "a", "first": first, "count": count, "last": "x"}]):
            connection.execute(sql, values)
    assert connection.execute("SELECT * FROM letters").fetchall() == [("a", 1, 5, "x", "a5")]
    connection.close()


@pytest.mark.parametrize(
    "row", [{"letter": "a"}, {**LETTERS.blank(), "extra": 1}, {"first": 0, **LETTERS.blank()}]
)
def test_a_row_with_other_columns_is_refused_by_name(row: dict[str, object]) -> None:
    with pytest.raises(ProjectionDefinitionError, match=r"letters.*\(.+\).*blank"):
        Statements(LETTERS, "letters").check(row)


@pytest.mark.parametrize("projection", BUILT_IN, ids=lambda kind: kind.__name__)
def test_every_column_is_documented_and_every_index_usable(projection: type[Projection]) -> None:
    table = projection.table
    assert table.doc
    assert all(column.doc for column in table.columns)
    connection = opened(table)
    names = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table.name})")]
    assert names == [column.name for column in table.columns]
    connection.close()


def test_a_projection_without_a_table_is_refused() -> None:
    with pytest.raises(ProjectionDefinitionError, match="Nothing has no table"):
        type("Nothing", (Projection,), {})


def test_two_handlers_for_one_event_are_refused() -> None:
    def seen(self: object, event: object, payload: object, rows: object) -> None: ...

    methods = {
        "table": LETTERS,
        "one": handles(LetterSeen)(seen),
        "two": handles(LetterSeen)(lambda *_: None),
    }
    with pytest.raises(ProjectionDefinitionError, match="LetterSeen twice"):
        type("Doubled", (Projection,), methods)


def test_an_index_may_cover_some_rows_only() -> None:
    table = Table("t", "", (Column("a", "TEXT", "", ""),), ("a",), (Index(("a",), "a <> ''"),))
    assert table.ddl("t", "_7")[1] == "CREATE INDEX t_a_7 ON t(a) WHERE a <> ''"
