"""What a run is charged, and how it ends when its user has too little: decided, without an engine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.events.harness import BLOCKS, Anything, EchoBlock, GraphOutputBlock, Run, SensitiveBlock, plan_of

from actbook.events import (
    BILLING_ACTOR,
    Account,
    BalanceCharged,
    BalanceNotified,
    BalanceToppedUp,
    Decider,
    ExecutionStatus,
    Meter,
    NodeStats,
    Report,
    RunCounted,
    Settings,
    Tariff,
    fold,
)
from actbook.events._account import DAY
from actbook.graphs import BlockCost, CostType, Plan, RetryPolicy

S = ExecutionStatus


class PaidBlock(EchoBlock):
    id = "00000000-0000-4000-8000-00000000c101"
    Output = Anything
    costs = (
        BlockCost(2, {"value": "timed"}, CostType.SECOND),
        BlockCost(1, {"value": "sized"}, CostType.BYTE),
        BlockCost(5),
    )


class PaidActionBlock(SensitiveBlock):
    id = "00000000-0000-4000-8000-00000000c102"
    Output = Anything
    costs = (BlockCost(5),)


class TriedAgainBlock(EchoBlock):
    id = "00000000-0000-4000-8000-00000000c104"
    Output = Anything
    retry = RetryPolicy(attempts=3)
    costs = (BlockCost(2, {"value": "timed"}, CostType.SECOND), BlockCost(5))


class ErrorHandlerBlock(EchoBlock):
    id = "00000000-0000-4000-8000-00000000c103"
    Output = Anything


for kind in (PaidBlock, PaidActionBlock, TriedAgainBlock, ErrorHandlerBlock):
    BLOCKS[kind.id] = kind()


def fan(*values: Any) -> Plan:
    """Paid nodes side by side, called a, b, c …, with these values."""
    names = "abcdefgh"[: len(values)]
    defaults = {name: {"value": value} for name, value in zip(names, values, strict=True)}
    return plan_of(dict.fromkeys(names, PaidBlock), **defaults)


class Charged:
    """A run whose user has an account."""

    def __init__(
        self,
        plan: Plan,
        balance: float,
        tariff: Tariff | None = None,
        account: Account | None = None,
        **create: Any,
    ) -> None:
        self.tariff = tariff or Tariff()
        self.account = account or Account("u", balance=balance)
        self.run = Run(plan, claimed=False, **create)
        self.posted: list[Any] = []
        self.meter = self._meter()
        self.run.claim()
        self._collect()

    def _meter(self) -> Meter:
        meter = self.run.decider.meter = Meter(self.tariff, self.account)
        return meter

    def _collect(self) -> None:
        self.posted += [draft.payload for draft in self.meter.postings]
        self.meter.postings.clear()

    def reopen(self) -> None:
        """The owner died; what it had recorded is there."""
        self.run.decider = Decider(self.run.plan, fold(self.run.history))
        self.meter = self._meter()
        self.run.claim("other")
        self._collect()

    def start(self, *numbers: int) -> list[Any]:
        events = self.run.start(*numbers)
        self._collect()
        return events

    def end(self, number: int, *outputs: tuple[str, Any], error: str = "", **stats: Any) -> list[Any]:
        node = self.run.state.node_executions[number]
        outcome: Any = "failed" if error else "completed"
        report = Report(number, node.attempt, outputs, outcome, error, stats=NodeStats(**stats))
        events = self.run.do(report)
        self._collect()
        return events

    @property
    def charges(self) -> list[tuple[int, str, float]]:
        return [(each.node_exec, each.kind, each.amount) for each in self.run.payloads("usage.charged")]

    def status_of(self, number: int) -> str:
        return str(fold(self.run.history, None, retain=True).node_executions[number].status)


def test_a_start_is_charged_with_its_event() -> None:
    it = Charged(fan("x"), 10)
    assert [event.TOPIC for event in it.start(1)] == ["node.started", "usage.charged"]
    assert it.charges == [(1, "RUN", 5.0)]
    assert it.account.balance == 5
    assert it.run.state.stats.cost == 5


def test_a_charge_leaves_the_balance_under_the_same_key() -> None:
    it = Charged(fan("x"), 10)
    it.start(1)
    charged = it.run.payloads("usage.charged")[0]
    posted = [each for each in it.posted if isinstance(each, BalanceCharged)]
    assert posted == [BalanceCharged("run.1:RUN", "RUN", 5.0, "run", 1, "graph", PaidBlock.id)]
    assert charged.key == "run.1:RUN"


def test_time_is_charged_after_the_run() -> None:
    it = Charged(fan("timed"), 100)
    it.start(1)
    assert it.charges == []
    it.end(1, ("out", 1), wall=3.7)
    assert it.charges == [(1, "SECOND", 7.0)]
    assert it.run.payloads("usage.charged")[0].matched_filter == {"value": "timed"}
    assert it.run.status() is S.COMPLETED


def test_bytes_in_and_out_are_charged_after_the_run() -> None:
    it = Charged(fan("sized"), 100)
    it.start(1)
    it.end(1, ("out", 1), input_bytes=11, output_bytes=31)
    assert it.charges == [(1, "BYTE", 42.0)]


def test_a_second_attempt_is_not_charged_again() -> None:
    it = Charged(fan("x"), 100)
    it.start(1)
    it.reopen()
    it.start(1)
    it.end(1)
    assert it.charges == [(1, "RUN", 5.0)]
    assert it.account.balance == 95


def test_a_start_is_charged_once_over_all_attempts() -> None:
    it = Charged(plan_of({"a": TriedAgainBlock}, a={"value": "x"}), 100)
    for _ in range(3):
        it.start(1)
        it.end(1, error="no")
    assert it.run.payloads("node.failed")[0].error == "no"
    assert it.charges == [(1, "RUN", 5.0)]


def test_time_is_charged_over_all_attempts_at_the_end() -> None:
    it = Charged(plan_of({"a": TriedAgainBlock}, a={"value": "timed"}), 100)
    it.start(1)
    it.end(1, error="no", wall=3)
    assert it.charges == []
    it.start(1)
    it.end(1, wall=4)
    assert it.charges == [(1, "SECOND", 14.0)]


def test_an_attempt_that_can_not_be_paid_does_not_begin() -> None:
    it = Charged(plan_of({"a": TriedAgainBlock}, a={"value": "timed"}), 100)
    it.start(1)
    it.end(1, error="no")
    it.account.balance = 0
    it.start(1)
    assert it.run.status() is S.FAILED
    assert it.run.state.retries == {}


def test_a_failed_node_stays_charged() -> None:
    it = Charged(fan("x"), 100)
    it.start(1)
    it.end(1, error="no")
    assert it.charges == [(1, "RUN", 5.0)]


@pytest.mark.parametrize(
    ("policy", "value", "charges"),
    [
        ("used", "timed", [(1, "SECOND", 4.0)]),
        ("run", "timed", []),
        ("run", "x", [(1, "RUN", 5.0)]),
        ("refund", "x", [(1, "RUN", 5.0), (1, "REFUND", -5.0)]),
        ("refund", "timed", []),
    ],
)
def test_what_a_failure_costs_is_a_policy(
    policy: Any, value: str, charges: list[tuple[int, str, float]]
) -> None:
    it = Charged(fan(value), 100, Tariff(failed=policy))
    it.start(1)
    it.end(1, error="no", wall=2.0)
    assert it.charges == charges
    assert it.account.balance == 100 - sum(amount for _, _, amount in charges)
    assert it.run.status() is S.COMPLETED


def test_below_one_credit_nothing_runs() -> None:
    it = Charged(fan("x", "x"), 0.5)
    assert it.run.status() is S.FAILED
    assert it.run.state.error == (
        "Insufficient balance: a run begins with at least 1 credits, and 0.5 are left."
        " Top up the balance and run it again."
    )
    assert it.run.state.actor == BILLING_ACTOR
    assert [it.status_of(1), it.status_of(2)] == ["FAILED", "FAILED"]
    assert "node.started" not in it.run.topics()
    assert it.charges == []


def test_one_credit_is_enough_for_what_is_free() -> None:
    it = Charged(plan_of({"a": EchoBlock}, a={"value": 1}), 1)
    it.start(1)
    it.end(1)
    assert it.run.status() is S.COMPLETED
    assert it.account.balance == 1


def test_running_out_fails_the_node_stops_what_runs_and_fails_the_rest() -> None:
    it = Charged(fan("x", "x", "x"), 7)
    it.start(1)
    it.start(2)
    text = it.run.payloads("node.failed")[0].error
    assert text.startswith("Insufficient balance: PaidBlock costs 5 credits, and 2 are left.")
    assert it.run.payloads("node.failed")[0].outputs == (("error", text),)
    assert it.run.state.stopping is not None
    it.run.stopped(1)
    assert it.run.status() is S.FAILED
    assert it.run.state.error == text
    assert [it.status_of(number) for number in (1, 2, 3)] == ["TERMINATED", "FAILED", "FAILED"]
    rest = it.run.payloads("node.failed")[1]
    assert (rest.node_exec, rest.error, rest.outputs) == (3, text, ())
    assert it.account.balance == 2


def test_its_error_goes_no_further() -> None:
    plan = plan_of({"a": PaidBlock, "h": ErrorHandlerBlock}, "a.error > h.value", a={"value": "x"})
    it = Charged(plan, 2)
    it.start(1)
    assert it.run.status() is S.FAILED
    assert it.run.state.stats.node_exec_count == 1


def test_time_beyond_the_balance_is_charged_and_fails_the_node_with_its_outputs_kept() -> None:
    plan = plan_of({"a": PaidBlock, "o": GraphOutputBlock}, "a.out > o.value", a={"value": "timed"})
    it = Charged(plan, 3)
    it.start(1)
    it.end(1, ("out", 42), wall=10)
    assert it.charges == [(1, "SECOND", 20.0)]
    assert it.account.balance == -17
    assert it.run.status() is S.FAILED
    node = fold(it.run.history, None, retain=True).node_executions[1]
    assert node.status is S.FAILED
    assert node.pins["out"] == [42]
    assert node.pins["error"][0].startswith(
        "Insufficient balance: PaidBlock used 20 credits, and 3 were left."
    )
    assert it.status_of(2) == "FAILED"


def test_with_nothing_left_what_is_charged_afterwards_does_not_start() -> None:
    it = Charged(fan("x", "timed"), 5)
    it.start(1)
    it.start(2)
    assert it.run.payloads("node.failed")[0].node_exec == 2


def test_a_review_in_progress_is_rejected_when_credits_run_out() -> None:
    plan = plan_of({"s": SensitiveBlock, "a": PaidBlock}, s={"value": 1}, a={"value": "x"})
    it = Charged(plan, 2)
    it.start(1)
    it.run.do(_review(it, 1))
    it.start(2)
    assert it.run.status() is S.FAILED
    assert it.status_of(1) == "FAILED"
    assert it.run.payloads("node.review_decided")[0].approved is False


def _review(it: Charged, number: int) -> Any:
    from actbook.events import RequestReview

    return RequestReview(number, it.run.state.node_executions[number].attempt, "ask", {})


def test_a_sensitive_action_is_charged_when_it_is_approved() -> None:
    from actbook.events import ReviewDecided

    plan = plan_of({"s": PaidActionBlock}, s={"value": 1})
    it = Charged(plan, 10, settings=Settings(sensitive_action_safe_mode=True))
    it.start(1)
    it.run.do(_review(it, 1))
    assert it.charges == []
    it.run.handle(ReviewDecided(1, True, "boss"))
    it.start(1)
    assert it.charges == [(1, "RUN", 5.0)]


def test_no_charge_after_a_stop_took_effect() -> None:
    it = Charged(fan("timed"), 100)
    it.start(1)
    it.run.cancel()
    it.run.stopped(1)
    assert it.run.status() is S.TERMINATED
    assert it.run.do(Report(1, 1, (), "completed", stats=NodeStats(wall=9))) == []
    assert it.charges == []
    assert it.account.balance == 100


def test_a_body_that_ends_while_it_is_being_stopped_is_charged_and_ends_nothing_else() -> None:
    it = Charged(fan("timed", "x"), 6)
    it.start(1)
    it.start(2)
    it.run.cancel()
    it.end(1, wall=30)
    assert it.charges[-1] == (1, "SECOND", 60.0)
    it.run.stopped(2)
    assert it.run.status() is S.TERMINATED
    assert it.status_of(1) == "COMPLETED"


def test_somebody_is_told_once_per_graph_until_the_next_top_up() -> None:
    account = Account("u")
    told = [Charged(fan("x"), 0, account=account).posted for _ in range(2)]
    assert told == [[BalanceNotified("graph", "run", 0.0, 1.0)], []]
    account.apply(BalanceToppedUp("k", 0.5), 0)
    assert len(Charged(fan("x"), 0, account=account).posted) == 1


def test_two_runs_do_not_spend_the_same_credit() -> None:
    account = Account("u", balance=6)
    first, second = Charged(fan("x"), 0, account=account), Charged(fan("x"), 0, account=account)
    first.start(1)
    second.start(1)
    assert account.balance == 1
    assert first.charges == [(1, "RUN", 5.0)]
    assert second.run.status() is S.FAILED


def test_runs_are_counted_and_every_third_is_charged() -> None:
    account = Account("u", balance=10)
    runs = [Charged(fan("x"), 0, Tariff(execution_threshold=3), account) for _ in range(4)]
    assert [run.charges for run in runs] == [[], [], [(0, "EXECUTION", 1.0)], []]
    assert [run.posted[0] for run in runs] == [RunCounted("run", count) for count in (1, 2, 3, 4)]
    assert account.balance == 9
    assert runs[2].run.state.stats.cost == 1


def test_a_threshold_of_nothing_counts_nothing() -> None:
    it = Charged(fan("x"), 10, Tariff(execution_threshold=0))
    assert it.posted == []


def test_a_run_that_goes_on_is_not_counted_again() -> None:
    it = Charged(fan("x"), 10)
    it.reopen()
    it.run.cancel()
    it.run.resume()
    assert it.account.count == 1


def test_a_run_that_can_not_begin_is_not_counted() -> None:
    it = Charged(fan("x"), 0)
    assert it.account.count == 0


def test_a_stopped_run_that_never_began_is_checked_when_it_is_resumed() -> None:
    it = Charged(fan("x"), 10, start_at=10**15)
    it.run.cancel()
    it.account.balance = 0
    it.run.resume()
    assert it.run.status() is S.FAILED


@pytest.mark.parametrize(("pause", "count"), [(0, 8), (DAY - 1, 8), (DAY, 1), (10 * DAY, 1)])
def test_the_count_begins_anew_a_day_after_the_last_run(pause: int, count: int) -> None:
    account = Account("u", count=7, last_run_at=5 * DAY)
    assert account.next_count(5 * DAY + pause) == count


def test_amounts_are_told_in_full() -> None:
    it = Charged(fan("x"), 1234567.25, Tariff(minimum=10_000_000))
    assert "at least 10000000 credits, and 1234567.25 are left" in it.run.state.error


@pytest.mark.parametrize("fault", [{"failed": "half"}, {"execution_threshold": -1}])
def test_a_tariff_that_makes_no_sense_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="can't be"):
        Tariff(**fault)


def test_without_a_meter_nothing_is_charged() -> None:
    run = Run(fan("x"))
    run.step(1)
    assert run.payloads("usage.charged") == []
    assert run.status() is S.COMPLETED


def test_a_run_that_lacked_credits_can_be_retried_after_a_top_up() -> None:
    it = Charged(fan("x", "x"), 6)
    it.start(1)
    it.end(1)
    it.start(2)
    assert it.run.status() is S.FAILED
    again = fold(it.run.history)
    assert again.stats.cost == 5


COMMANDS = st.lists(
    st.tuples(st.sampled_from(["start", "complete", "fail", "crash", "top"]), st.integers(1, 6)), max_size=20
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["x", "timed", "sized"]), min_size=1, max_size=6),
    st.integers(0, 40),
    COMMANDS,
    st.sampled_from(["used", "run", "refund"]),
)
def test_books_always_balance(
    values: list[str], balance: int, commands: list[tuple[str, int]], policy: Any
) -> None:
    """Whatever happens: balance = top-ups - charges, each key once, and the postings fold to the same account."""
    it = Charged(fan(*values), balance, Tariff(failed=policy))
    added = 0.0
    for index, (command, number) in enumerate(commands):
        node = it.run.state.node_executions.get(number)
        if command == "crash" and not it.run.status().is_terminal:
            it.reopen()
        elif command == "top":
            it.account.apply(BalanceToppedUp(str(index), 3.0), 0)
            added += 3
        elif node is not None and command == "start":
            it.start(number)
        elif node is not None and number in it.run.state.running:
            it.end(number, error="no" if command == "fail" else "", wall=number, output_bytes=number)
    keys = [each.key for each in it.run.payloads("usage.charged")]
    assert len(keys) == len(set(keys))
    total = sum(each.amount for each in it.run.payloads("usage.charged"))
    assert it.account.balance == balance + added - total
    assert it.run.state.stats.cost == total
    again = Account("u", balance=balance)
    for posting in it.posted:
        again.apply(posting, 0)
    assert again.balance == it.account.balance - added
    if it.run.status().is_terminal:
        statuses = {node.status for node in fold(it.run.history, None, retain=True).node_executions.values()}
        assert not statuses & {S.QUEUED, S.RUNNING}
