"""Runs that are charged, on a real engine and a real store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    AsyncPairs,
    Gate,
    World,
    agent,
    begin,
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
    when,
)

from actbook.engine import Engine, TopUpError
from actbook.engine.billing import Billing, Shortage, Tariff
from actbook.events import (
    Account,
    BalanceNotified,
    BalanceToppedUp,
    Envelope,
    ExecutionStatus,
    Settings,
    fold,
)
from actbook.graphs import BlockCost, CostType, Graph
from actbook.journal import JournalError
from actbook.journal._commits import Commits
from actbook.replay import History

S = ExecutionStatus
FIVE = (BlockCost(5),)
LINE = ("in:Input p:Paid out:Output", "in.result > p.value", "p.out > out.value")


async def chargeable(engine: Engine, balance: float = 100) -> Engine:
    if balance:
        await engine.top_up(USER, balance)
    return engine


def paid(**blocks: Any) -> World:
    return World(Paid=effect(costs=FIVE), **blocks)


def line(world: World, **data: Any) -> Graph:
    return world.graph(*LINE, **data)


def test_a_run_costs_what_its_blocks_declare() -> None:
    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine)
            done = await finish(engine, line(world), inputs={"in": 1})
            assert done.status is S.COMPLETED
            assert done.stats.cost == 5
            assert await engine.balance(USER) == 95
            await engine.catch_up()
            row = await engine.queries.execution(done.id)
            assert row is not None
            assert row.cost == 5
            nodes = await engine.queries.node_executions(done.id)
            assert [node.cost for node in nodes] == [0, 5, 0]
            (usage,) = await engine.queries.usage(USER, by=("graph_id", "kind"))
            assert (usage.graph_id, usage.kind, usage.charges, usage.amount) == ("graph", "RUN", 1, 5)

    play(test())


def test_without_a_policy_everything_is_free() -> None:
    async def test() -> None:
        world = paid()
        async with world.open() as engine:
            done = await finish(engine, line(world), inputs={"in": 1})
            assert (done.status, done.stats.cost) == (S.COMPLETED, 0)
            assert await engine.account(USER) == Account(USER)

    play(test())


@pytest.mark.parametrize("free", [{"settings": Settings(dry_run=True)}, {"simulate": True}])
def test_simulated_and_dry_runs_are_free(free: dict[str, Any]) -> None:
    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing()) as engine:
            done = await finish(engine, line(world), inputs={"in": 1}, **free)
            assert (done.status, done.stats.cost) == (S.COMPLETED, 0)

    play(test())


def test_time_is_charged_by_the_wall_clock() -> None:
    async def slow(input: Any, context: Any) -> AsyncPairs:
        await asyncio.sleep(0.05)
        yield "out", input.value

    async def test() -> None:
        world = World(Paid=effect(slow, costs=(BlockCost(1000, {}, CostType.SECOND),)))
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine, 100_000)
            done = await finish(engine, line(world), inputs={"in": 1})
            assert 50 <= done.stats.cost == 100_000 - await engine.balance(USER)
            (charged,) = [
                event for event in await engine.journal.read_stream(done.id) if event.topic == "usage.charged"
            ]
            assert charged.payload.amount == int(charged.payload.amount)

    play(test())


def test_the_charge_and_the_balance_are_one_write() -> None:
    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine)
            done = await finish(engine, line(world), inputs={"in": 1})
            history = await engine.balance_history(USER)
            assert [event.topic for event in history] == [
                "balance.topped_up",
                "run.counted",
                "balance.charged",
            ]
            charged = next(e for e in await engine.journal.read_stream(done.id) if e.topic == "usage.charged")
            assert charged.payload.key == history[-1].payload.key == f"{done.id}.2:RUN"

    play(test())


def test_nothing_runs_on_an_empty_account() -> None:
    ran: list[Any] = []

    async def run(input: Any, context: Any) -> AsyncPairs:
        ran.append(input.value)
        yield "out", input.value

    async def test() -> None:
        world = World(Paid=effect(run))
        async with world.open(billing=Billing()) as engine:
            done = await finish(engine, line(world), inputs={"in": 1})
            assert done.status is S.FAILED
            assert "Insufficient balance" in done.error
            assert ran == []
            assert (await History.load(engine.journal, done.id)).verify() == []
            assert await engine.journal.unfinished() == []

    play(test())


def test_running_out_stops_what_runs() -> None:
    gate = Gate()

    async def test() -> None:
        world = World(Held=gate.block(costs=FIVE), Paid=effect(costs=FIVE))
        graph = world.graph(
            "in:Input h:Held late:Input s:Slow p:Paid".replace("s:Slow ", ""),
            "in.result > h.value",
            "late.result > p.value",
        )
        async with world.open(billing=Billing(), max_active=10) as engine:
            await chargeable(engine, 7)
            done = await finish(engine, graph, inputs={"in": 1, "late": 2})
            assert done.status is S.FAILED
            assert gate.inside == 0
            state = fold(await engine.journal.read_stream(done.id), None, retain=True)
            ends = {node.node_id: str(node.status) for node in state.node_executions.values()}
            failed = "p" if ends["h"] == "TERMINATED" else "h"
            assert ends == {"in": "COMPLETED", "late": "COMPLETED", "h": ends["h"], "p": ends["p"]}
            assert "FAILED" in ends.values()
            node = next(each for each in state.node_executions.values() if each.node_id == failed)
            assert node.pins["error"] == [state.error]
            assert await engine.balance(USER) == 2

    play(test())


def test_a_body_in_flight_is_stopped_when_a_later_one_can_not_be_paid() -> None:
    gate, first = Gate(), Gate()

    async def test() -> None:
        world = World(Held=gate.block(costs=FIVE), First=first.block(), Paid=effect(costs=FIVE))
        graph = world.graph(
            "in:Input h:Held f:First p:Paid", "in.result > h.value", "in.result > f.value", "f.out > p.value"
        )
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine, 7)
            run = await begin(engine, graph, inputs={"in": 1})
            await gate.reached()
            first.open()
            done = await engine.wait(run.id, PATIENCE)
            assert done.status is S.FAILED
            assert gate.inside == 0
            state = fold(await engine.journal.read_stream(done.id), None, retain=True)
            ends = {node.node_id: str(node.status) for node in state.node_executions.values()}
            assert (ends["h"], ends["p"]) == ("TERMINATED", "FAILED")

    play(test())


def test_sub_graphs_pay_from_the_same_account() -> None:
    async def test() -> None:
        world = paid()
        child = world.graph(
            "x:Input p:Paid y:Output", "x.result > p.value", "p.out > y.value", called="child"
        )
        graph = world.graph(
            "in:Input a:Agent out:Output",
            "in.result > a.x",
            "a.y > out.value",
            a=agent(child),
            sub_graphs=[child],
        )
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine)
            done = await finish(engine, graph, inputs={"in": 1})
            assert done.outputs == {"out": [1]}
            assert done.stats.cost == 0
            account = await engine.account(USER)
            assert (account.balance, account.count) == (95, 2)

    play(test())


def test_two_runs_at_once_do_not_spend_the_same_credit() -> None:
    gate = Gate()

    async def test() -> None:
        world = World(Paid=gate.block(costs=FIVE))
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine, 24)
            graph = await engine.save_graph(line(world), USER)
            runs = await asyncio.gather(
                *(engine.add_graph_execution(graph.id, USER, {"in": n}) for n in range(12))
            )
            await gate.reached(4)
            gate.open()
            ends = await asyncio.gather(*(engine.wait(run.id, PATIENCE) for run in runs))
            assert sorted(str(end.status) for end in ends) == ["COMPLETED"] * 4 + ["FAILED"] * 8
            assert gate.entered == 4
            assert await engine.balance(USER) == 4

    play(test())


def test_an_interrupted_run_is_charged_once(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Paid=gate.block(costs=FIVE))
        async with world.open(sqlite(tmp_path), billing=Billing()) as engine:
            await chargeable(engine)
            run = await begin(engine, line(world), inputs={"in": 1})
            await gate.reached()
        gate.open()
        async with world.open(sqlite(tmp_path), billing=Billing()) as engine:
            done = await engine.wait(run.id, PATIENCE)
            assert done.status is S.COMPLETED
            assert gate.entered == 2
            assert (done.stats.cost, await engine.balance(USER)) == (5, 95)
            assert (await engine.account(USER)).count == 1

    play(test())


def test_a_run_whose_credits_ran_out_is_retried_after_a_top_up() -> None:
    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine, 3)
            done = await finish(engine, line(world), inputs={"in": 1})
            assert done.status is S.FAILED
            await engine.top_up(USER, 10)
            await engine.retry(user_id=USER, graph_exec_id=done.id)
            again = await engine.wait(done.id, PATIENCE)
            assert (again.status, again.outputs) == (S.COMPLETED, {"out": [1]})
            assert await engine.balance(USER) == 8

    play(test())


def test_a_top_up_counts_once_per_key() -> None:
    async def test() -> None:
        async with World().open() as engine:
            assert await engine.top_up(USER, 10, "gift", key="k") == 10
            assert await engine.top_up(USER, 10, "gift", key="k") == 10
            assert await engine.top_up(USER, 10) == 20
            assert await engine.top_up(USER, -5) == 15
            assert await engine.top_up("other", 1, key="k") == 1
            with pytest.raises(TopUpError, match="was used for 10 credits"):
                await engine.top_up(USER, 11, key="k")
            for amount in (0, float("nan"), float("inf")):
                with pytest.raises(TopUpError):
                    await engine.top_up(USER, amount)
            assert await engine.balance(USER) == 15
            assert await engine.balance("nobody") == 0

    play(test())


def test_what_another_process_tops_up_is_heard(tmp_path: Path) -> None:
    async def test() -> None:
        world = paid()
        url = sqlite(tmp_path)
        async with world.open(url, billing=Billing()) as owner, world.open(url, candidate=False) as guest:
            empty = await finish(owner, line(world), inputs={"in": 1})
            assert empty.status is S.FAILED
            accounts = owner._host.accounts
            assert accounts is not None
            heard = asyncio.Event()
            listen = accounts.heard

            def hear(news: list[Envelope]) -> None:
                listen(news)
                if any(event.topic == BalanceToppedUp.TOPIC for event in news):
                    heard.set()

            accounts.heard = hear
            await guest.top_up(USER, 50)
            async with asyncio.timeout(PATIENCE):
                await heard.wait()
            done = await finish(owner, line(world), inputs={"in": 1})
            assert done.status is S.COMPLETED
            assert await guest.balance(USER) == 45

    play(test())


@pytest.mark.parametrize("asynchronous", [True, False])
def test_somebody_is_told_of_the_first_shortage_of_a_graph(asynchronous: bool) -> None:
    told: list[Shortage] = []

    async def later(shortage: Shortage) -> None:
        told.append(shortage)

    async def test() -> None:
        world = paid()
        policy = Billing(notify=later if asynchronous else told.append)
        async with world.open(billing=policy) as engine:
            runs = [await finish(engine, line(world), inputs={"in": 1}) for _ in range(3)]
            await finish(engine, world.graph(*LINE, called="other"), inputs={"in": 1})
            await engine.top_up(USER, 0.5)
            runs.append(await finish(engine, line(world), inputs={"in": 1}))
        assert [(each.graph_id, each.graph_exec_id, each.balance) for each in told] == [
            ("graph", runs[0].id, 0.0),
            ("other", told[1].graph_exec_id, 0.0),
            ("graph", runs[3].id, 0.5),
        ]

    play(test())


def test_a_notification_that_fails_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(shortage: Shortage) -> None:
        raise RuntimeError("no mail today")

    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing(notify=broken)) as engine:
            await finish(engine, line(world), inputs={"in": 1})
            await when(engine, lambda event: isinstance(event.payload, BalanceNotified))
            assert await engine.balance(USER) == 0

    with caplog.at_level(logging.ERROR, "actbook.billing"):
        play(test())
    assert "no mail today" in caplog.text


def test_runs_in_a_row_are_counted_across_graphs_and_charged() -> None:
    async def test() -> None:
        world = World(Free=pure())
        policy = Billing(tariff=Tariff(execution_threshold=3, execution_price=2))
        async with world.open(billing=policy) as engine:
            await chargeable(engine, 10)
            costs = []
            for number in range(4):
                graph = world.graph("in:Input f:Free", "in.result > f.value", called=f"graph-{number}")
                costs.append((await finish(engine, graph, inputs={"in": 1})).stats.cost)
            assert costs == [0, 0, 2, 0]
            assert await engine.balance(USER) == 8

    play(test())


def test_a_write_that_fails_takes_its_charges_back() -> None:
    async def test() -> None:
        world = paid(First=effect())
        graph = world.graph("f:First p:Paid", "f.out > p.value", f={"value": 1})
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine, 7)
            submit, failures = engine.journal.submit, [JournalError("disk gone")]

            def failing(append: Any, done: Any, **options: Any) -> None:
                if (
                    append.also
                    and failures
                    and any(d.payload.TOPIC == "usage.charged" for d in append.drafts)
                ):
                    asyncio.get_running_loop().call_soon(done, failures.pop())
                else:
                    submit(append, done, **options)

            engine.journal.submit = failing
            done = await finish(engine, graph)
            assert failures == []
            assert done.status is S.COMPLETED
            assert await engine.balance(USER) == 2
            accounts = engine._host.accounts
            assert accounts is not None
            account = accounts.get(USER)
            assert account is not None
            assert account.balance == 2

    play(test())


def test_a_long_account_is_read_from_its_snapshot(tmp_path: Path) -> None:
    async def test() -> None:
        async with World().open(sqlite(tmp_path)) as engine:
            await asyncio.gather(*(engine.journal.append(_one(number)) for number in range(1100)))
            assert await engine.balance(USER) == 1100
            assert await engine.journal.latest_snapshot(f"balance:{USER}") is not None
            await engine.top_up(USER, 1)
            assert await engine.balance(USER) == 1101

    play(test())


def _one(number: int) -> Any:
    from actbook.events import Append, BalanceToppedUp, Draft, balance_stream

    return Append(balance_stream(USER), None, [Draft(BalanceToppedUp(str(number), 1.0), 1)], USER)


def test_events_of_a_charged_chain() -> None:
    async def test() -> None:
        world = paid()
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine)
            done = await finish(engine, world.graph("p:Paid", p={"value": 1}))
            assert await topics(engine, done.id) == [
                "execution.created",
                "node.queued",
                "execution.queued",
                "execution.claimed",
                "execution.started",
                "node.started",
                "usage.charged",
                "node.completed",
                "execution.completed",
            ]

    play(test())


def test_a_fork_pays_for_what_it_runs_and_not_for_its_past() -> None:
    async def test() -> None:
        world = paid()
        graph = world.graph("a:Paid b:Paid", "a.out > b.value", a={"value": 1})
        async with world.open(billing=Billing()) as engine:
            await chargeable(engine)
            done = await finish(engine, graph)
            assert done.stats.cost == 10
            events = await engine.journal.read_stream(done.id)
            first = next(event.version for event in events if event.topic == "node.completed")
            fork = await engine.fork(done.id, first, user_id=USER)
            again = await engine.wait(fork.id, PATIENCE)
            assert again.status is S.COMPLETED
            assert again.stats.cost == 5
            assert await engine.balance(USER) == 85
            await engine.catch_up()
            rows = [await engine.queries.execution(each) for each in (done.id, fork.id)]
            assert [row.cost for row in rows if row is not None] == [10, 5]
            (usage,) = await engine.queries.usage(USER, by=("kind",))
            assert (usage.charges, usage.amount) == (3, 15)

    play(test())


def test_workers_hear_what_the_others_charge(postgres_url: str) -> None:
    async def test() -> None:
        world = paid()
        async with (
            world.open(postgres_url, billing=Billing()) as one,
            world.open(postgres_url, billing=Billing()) as other,
        ):
            changed = asyncio.Event()
            for each in (one._host.accounts, other._host.accounts):
                each.heard = partial(_hear, changed, each.heard)
            await one.top_up(USER, 100)
            for _ in range(3):
                for engine in (one, other):
                    assert (await finish(engine, line(world), inputs={"in": 1})).status is S.COMPLETED
            recorded = await one.balance(USER)
            assert recorded < 100
            for engine in (one, other):
                accounts = engine._host.accounts
                async with asyncio.timeout(PATIENCE):
                    while (account := accounts.get(USER)) is None or account.balance != recorded:
                        changed.clear()
                        await changed.wait()

    play(test())


def test_what_a_worker_charged_itself_is_no_news_to_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it reads that before its journal has answered: somebody else rings just then."""

    def late(self: Commits, batch: Any) -> None:
        rung = self._rung(batch)
        self._loop.call_soon_threadsafe(self._loop.call_later, 0.03, self._answer, rung)

    async def test() -> None:
        world = paid()
        monkeypatch.setattr(Commits, "_report", late)
        async with (
            world.open(postgres_url, billing=Billing()) as one,
            world.open(postgres_url, billing=Billing()) as other,
        ):
            await one.top_up(USER, 100)
            await finish(one, line(world), inputs={"in": 1})
            for _ in range(3):
                await asyncio.gather(*(finish(each, line(world), inputs={"in": 1}) for each in (one, other)))
            recorded = await one.balance(USER)
            for engine in (one, other):
                account = engine._host.accounts.get(USER)
                assert account is not None
                assert account.balance >= recorded

    play(test())


def _hear(changed: asyncio.Event, listen: Callable[[Any], None], news: Any) -> None:
    listen(news)
    changed.set()


def test_keys_of_different_users_are_different_top_ups() -> None:
    async def test() -> None:
        async with paid().open(billing=Billing()) as engine:
            assert await engine.top_up("a\nb", 5, key="c") == 5
            assert await engine.top_up("a", 7, key="b\nc") == 7

    play(test())
