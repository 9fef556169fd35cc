"""Costs of runs and of blocks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.acceptance.blocks import Out
from tests.engine.kit import PATIENCE, USER, World, begin, effect, finish, play, topics

from actbook.engine.billing import (
    Billing,
    _is_cost_filter_match,
    block_usage_cost,
    execution_usage_cost,
)
from actbook.events import ExecutionStatus, UsageCharged
from actbook.graphs import Block, BlockCost, CostType


@pytest.mark.parametrize(
    ("count", "price"), [(0, 1), (1, 0), (50, 0), (99, 0), (100, 1), (101, 0), (200, 1), (1000, 1)]
)
def test_each_hundredth_run_has_a_price(count: int, price: int) -> None:
    assert execution_usage_cost(count) == (price, 100)


@pytest.mark.parametrize(
    ("wanted", "data", "match"),
    [
        ({}, {}, True),
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": None}, {}, True),
        ({"a": ""}, {}, True),
        ({"a": None}, {"a": ""}, True),
        ({"a": ""}, {"a": None}, True),
        ({"a": 0}, {"a": False}, True),
        ({"a": []}, {"a": {}}, True),
        ({"a": 0}, {"a": None}, True),
        ({"a": None}, {"a": 1}, False),
        ({"a": 1}, {"a": None}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        ({"a": {"b": 1}}, {"a": {}}, False),
        ({"a": {"b": 1}}, {}, False),
        ({"a": {"b": 1}}, {"a": "text"}, False),
        ({"a": {"b": None}}, {}, True),
        ({"a": {"b": None}}, {"a": {}}, True),
        ({"a": {"b": {"c": ""}}}, {}, True),
        ({"a": {"b": None, "c": 1}}, {}, False),
        ({"a": {"b": None}}, {"a": {"b": 5}}, False),
        ({"a": {"b": None}}, {"a": {"c": 5}}, True),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        (1, 1, True),
        (1, 2, False),
        ({"a": 1}, "a", False),
        ("a", {"a": 1}, False),
        (None, None, True),
    ],
)
def test_which_data_a_filter_matches(wanted: Any, data: Any, match: bool) -> None:
    assert _is_cost_filter_match(wanted, data) is match


class PricedBlock(Block):
    id = "ac000000-0000-4000-8000-0000000000a1"
    Output = Out
    costs: tuple[BlockCost, ...] = (
        BlockCost(7, {"model": "big"}),
        BlockCost(2.5, {"model": "timed"}, CostType.SECOND),
        BlockCost(0.01, {"model": "sized"}, CostType.BYTE),
        BlockCost(3, {"key": {"id": "x"}}),
        BlockCost(1, {"model": "any"}),
        BlockCost(9, {"model": "any"}),
    )

    class Input(msgspec.Struct):
        model: str = ""


class CheaperBlock(PricedBlock):
    id = "ac000000-0000-4000-8000-0000000000a2"


class FlatBlock(PricedBlock):
    id = "ac000000-0000-4000-8000-0000000000a3"
    costs: tuple[BlockCost, ...] = (BlockCost(4),)


@pytest.mark.parametrize(
    ("data", "size", "seconds", "cost"),
    [
        ({"model": "big"}, 0, 0, (7, {"model": "big"})),
        ({"model": "big"}, 500, 9, (7, {"model": "big"})),
        ({"model": "timed"}, 0, 3.5, (8, {"model": "timed"})),
        ({"model": "timed"}, 0, 0, (0, {"model": "timed"})),
        ({"model": "sized"}, 250, 0, (2, {"model": "sized"})),
        ({"model": "any"}, 0, 0, (1, {"model": "any"})),
        ({"key": {"id": "x", "title": "mine"}}, 0, 0, (3, {"key": {"id": "x"}})),
        ({"model": "other"}, 100, 100, (0, {})),
        ({}, 0, 0, (0, {})),
    ],
)
def test_the_first_entry_that_matches_gives_the_amount(
    data: dict[str, Any], size: int, seconds: float, cost: tuple[float, dict[str, Any]]
) -> None:
    assert block_usage_cost(PricedBlock(), data, size, seconds) == cost


def test_entries_are_those_of_the_exact_class() -> None:
    assert block_usage_cost(CheaperBlock(), {"model": "big"}) == (0, {})
    assert block_usage_cost(FlatBlock(), {"model": "big"}) == (4, {})


def test_an_empty_filter_matches_everything() -> None:
    assert block_usage_cost(FlatBlock(), {}) == (4, {})
    assert block_usage_cost(FlatBlock(), {"anything": [1]}) == (4, {})


def _paid(amount: float) -> World:
    return World(Paid=effect(costs=(BlockCost(amount),)))


LINE = ("x:Input p:Paid y:Output", "x.result > p.value", "p.out > y.value")


def test_below_one_credit_nothing_runs() -> None:
    async def test() -> None:
        world = _paid(1)
        async with world.open(billing=Billing()) as engine:
            done = await finish(engine, world.graph(*LINE), inputs={"x": 1})
            assert (done.status, done.outputs) == (ExecutionStatus.FAILED, {})
            assert done.error
            assert "node.started" not in await topics(engine, done.id)

    play(test())


def test_running_out_fails_the_node_and_the_graph() -> None:
    async def test() -> None:
        world = _paid(5)
        async with world.open(billing=Billing()) as engine:
            await engine.top_up(USER, 3)
            done = await finish(engine, world.graph(*LINE), inputs={"x": 1})
            assert done.status is ExecutionStatus.FAILED
            events = [each.payload for each in await engine.journal.read_stream(done.id)]
            [failed] = [each for each in events if type(each).__name__ == "NodeFailed"]
            assert dict(failed.outputs)["error"] == failed.error == done.error

    play(test())


def test_a_charge_is_an_event_with_a_key() -> None:
    async def test() -> None:
        world = _paid(5)
        async with world.open(billing=Billing()) as engine:
            await engine.top_up(USER, 30)
            run = await begin(engine, world.graph(*LINE), inputs={"x": 1})
            done = await engine.wait(run.id, PATIENCE)
            events = [each.payload for each in await engine.journal.read_stream(run.id)]
            [charged] = [each for each in events if isinstance(each, UsageCharged)]
            assert charged.amount == 5
            assert run.id in charged.key
            assert done.stats.cost == 5
            assert await engine.balance(USER) == 25

    play(test())
