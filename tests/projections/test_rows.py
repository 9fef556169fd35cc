"""The working set over cache and table behaves like one dictionary."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projections.letters import Letters, letters
from tests.projections.recording import Tables, envelope

from actbook.events import Draft
from actbook.projections import _rows

TEXTS = st.lists(st.text("abcdeABC", max_size=12), max_size=12)


def model(texts: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for letter in "".join(texts):
        if letter.isupper():
            counts.pop(letter.lower(), None)
        else:
            counts[letter] += 1
    return dict(counts)


@pytest.mark.parametrize("cached", [1, 2, 8192])
def test_rows_are_what_a_dictionary_would_hold(cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rows, "CACHED", cached)

    @given(TEXTS, st.integers(1, 9))
    def check(texts: list[str], batch: int) -> None:
        drafts = [draft for text in texts for draft in letters("s", text).drafts]
        with Tables([Letters]) as tables:
            tables.apply([envelope(draft, "s", at, at) for at, draft in enumerate(drafts, 1)], batch=batch)
            assert {row["letter"]: row["count"] for row in tables.rows("letters")} == model(texts)

    check()


def test_a_batch_writes_each_row_once() -> None:
    with Tables([Letters]) as tables:
        statements: list[str] = []
        tables.connection.set_trace_callback(statements.append)
        tables.apply(of("s", "aaabbb" * 50))
        writes = [sql for sql in statements if sql.startswith("INSERT INTO letters")]
        assert len(writes) == 1
        assert writes[0].count("),(") == 1


def test_an_event_that_nobody_handles_moves_the_position_and_writes_no_row() -> None:
    with Tables([]) as nothing:
        assert nothing.lanes.groups() == []
    with Tables() as tables:
        tables.apply(of("s", "abc"))
        assert set(tables.lanes.positions().values()) == {3}
        assert tables.rows("executions") == []


def test_rows_found_by_columns_include_changes_of_the_same_batch() -> None:
    with Tables([Letters]) as tables:
        tables.apply(of("one", "abc"))
        lane = tables.lanes.lane("letters")
        rows = _rows.Rows(lane.cache)
        rows["a"]["last"] = "two"
        rows["d"] = {**rows["b"], "letter": "d"}
        rows.delete("c")
        assert {row["letter"] for row in rows.where(last="one")} == {"b", "d"}
        with pytest.raises(KeyError, match="letters has no row 'c'"):
            rows["c"]
        assert rows.peek("c") is None
        assert rows.peek("z") is None


def of(stream_id: str, text: str) -> list[Any]:
    drafts: list[Draft] = letters(stream_id, text).drafts
    return [envelope(draft, stream_id, at, at) for at, draft in enumerate(drafts, 1)]
