"""Charges in the views: costs of executions and node executions, and sums of usage."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.events.test_billing import Charged, fan
from tests.projections.recording import Tables, append_all, recorded

from actbook.events import Account, BalanceCharged, Draft, balance_stream, fold
from actbook.journal import Journal, Store
from actbook.projections import Queries, Runner

DAY = 24 * 3600 * 1_000_000


def charge(day: int, amount: float, *, graph: str = "g", block: str = "b", kind: str = "RUN") -> Draft:
    return Draft(
        BalanceCharged(f"{day}{graph}{block}{kind}{amount}", kind, amount, "run", 1, graph, block), day * DAY
    )


def summed(rows: list[Any]) -> list[tuple[Any, ...]]:
    return [
        (row.user_id, row.day, row.graph_id, row.block_id, row.kind, row.charges, row.amount) for row in rows
    ]


def test_costs_are_those_of_the_folded_state() -> None:
    it = Charged(fan("x", "timed", "x"), 100, account=Account("u", balance=100, count=99, last_run_at=1))
    it.start()
    it.end(1)
    it.end(2, wall=4)
    it.end(3, error="no")
    state = fold(it.run.history, retain=True)
    with Tables() as tables:
        tables.apply(recorded(("run", it.run.history)), batch=3)
        (execution,) = tables.rows("executions")
        nodes = tables.rows("node_executions")
    assert execution["cost"] == state.stats.cost == 19
    assert {row["number"]: row["cost"] for row in nodes} == {1: 5, 2: 8, 3: 5}
    assert {number: node.cost for number, node in state.node_executions.items()} == {1: 5, 2: 8, 3: 5}


def test_usage_is_summed_per_day_graph_block_and_kind() -> None:
    drafts = [charge(0, 2), charge(0, 3), charge(1, 4), charge(1, 5, block="c"), charge(1, -4, kind="REFUND")]
    with Tables() as tables:
        tables.apply(recorded((balance_stream("u"), drafts)), batch=2)
        rows = tables.rows("usage")
    assert [(row["day"], row["block_id"], row["kind"], row["charges"], row["amount"]) for row in rows] == [
        ("1970-01-01", "b", "RUN", 2, 5.0),
        ("1970-01-02", "b", "RUN", 1, 4.0),
        ("1970-01-02", "c", "RUN", 1, 5.0),
        ("1970-01-02", "b", "REFUND", 1, -4.0),
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"by": ()}, [("", "", "", "", "", 4, 14.0)]),
        ({"by": ("day",)}, [("", "1970-01-01", "", "", "", 2, 5.0), ("", "1970-01-02", "", "", "", 2, 9.0)]),
        (
            {"by": ("block_id",), "since": "1970-01-02"},
            [("", "", "", "b", "", 1, 4.0), ("", "", "", "c", "", 1, 5.0)],
        ),
        ({"by": ("user_id",), "until": "1970-01-02"}, [("u", "", "", "", "", 2, 5.0)]),
        ({"by": ("graph_id",), "graph_id": "other"}, []),
        ({"by": (), "graph_id": "other"}, []),
    ],
)
def test_usage_can_be_asked_for(question: dict[str, Any], answer: list[tuple[Any, ...]]) -> None:
    drafts = [charge(0, 2), charge(0, 3), charge(1, 4), charge(1, 5, block="c")]

    async def ask() -> list[Any]:
        journal = await Journal.open("memory:")
        store: Store = journal.store
        position = append_all(store, balance_stream("u"), drafts)
        runner = Runner(journal)
        await runner.start()
        queries = Queries(store)
        await runner.wait(position)
        rows = await queries.usage("u", **question)
        assert await queries.usage("nobody", **question) == []
        with pytest.raises(ValueError, match="colour"):
            await queries.usage(by=("colour",))
        await runner.close()
        await queries.close()
        await journal.close()
        return rows

    assert summed(asyncio.run(ask())) == answer
