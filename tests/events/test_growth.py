"""Time and memory follow the work in flight, not the length of the history.

Times are compared between sizes on the same machine, so that a slow machine fails nothing; ten times the work may take
twenty-five times as long, and quadratic work would take a hundred times as long.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

from tests.events.harness import EchoBlock, PairBlock, Run, SourceBlock, TrioBlock, plan_of

from actbook.events import Decider, Draft, ExecutionStatus, Report, Start, fold

S = ExecutionStatus
FEW, MANY = 1_000, 10_000


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def assert_linear(work: Callable[[int], Callable[[], object]]) -> None:
    """`work(n)` prepares and returns what is measured. The best of three: others use the machine too."""
    measured = []
    for _ in range(3):
        few, many = seconds(work(FEW)), seconds(work(MANY))
        if many < 25 * few:
            return
        measured.append((few, many))
    raise AssertionError(f"seconds for {FEW} and {MANY}: {measured}")


TWO = plan_of({"x": SourceBlock, "y": SourceBlock, "sink": PairBlock}, "x.out > sink.a", "y.out > sink.b")


def test_ten_thousand_waiting_executions_are_matched_in_less_than_a_second() -> None:
    run = Run(TWO)
    run.start()
    run.yields(1, *(("out", n) for n in range(MANY)))
    assert len(run.of("sink")) == MANY
    taken = seconds(lambda: run.yields(2, *(("out", n) for n in range(MANY))))
    assert [node.data for node in run.of("sink")] == [{"a": n, "b": n} for n in range(MANY)]
    assert taken < 1


def test_matching_one_by_one_is_linear() -> None:
    def work(count: int) -> Callable[[], object]:
        run = Run(TWO)
        run.start()
        run.yields(1, *(("out", n) for n in range(count)))
        return lambda: [run.yields(2, ("out", n)) for n in range(count)]

    assert_linear(work)


def test_static_values_that_nobody_meets_are_linear() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "sink": PairBlock}, "x.out >> sink.a", "y.out > sink.b"
    )

    def work(count: int) -> Callable[[], object]:
        run = Run(plan)
        run.start()
        return lambda: [run.yields(1, ("out", n)) for n in range(count)]

    assert_linear(work)


def test_outputs_held_behind_a_slow_execution_are_linear() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock, "f": EchoBlock}, "s.out > e.value", "e.out > f.value")

    def work(count: int) -> Callable[[], object]:
        run = Run(plan)
        run.step(1, ("out", 1), ("out", 2))
        run.start()

        def yield_and_release() -> None:
            for n in range(count):
                run.yields(3, ("out", n))
            run.complete(2)
            assert len(run.of("f")) == count

        return yield_and_release

    assert_linear(work)


def test_finishing_in_reverse_is_linear() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")

    def work(count: int) -> Callable[[], object]:
        run = Run(plan)
        run.step(1, *(("out", n) for n in range(count)))
        run.start()
        return lambda: [run.complete(n) for n in range(count + 1, 1, -1)]

    assert_linear(work)


def test_a_retaining_fold_is_linear() -> None:
    def work(count: int) -> Callable[[], object]:
        run = Run(plan_of({"s": SourceBlock}))
        run.start()
        for n in range(count):
            run.yields(1, ("out", n))
        return lambda: fold(run.history, retain=True)

    assert_linear(work)


def test_stopping_ten_thousand_bodies_is_one_event() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")
    run = Run(plan)
    run.step(1, *(("out", n) for n in range(MANY)))
    run.start()
    run.cancel()
    numbers = tuple(run.state.running)
    events: list[Any] = []
    assert seconds(lambda: events.extend(run.stopped(*numbers))) < 1
    assert [event.TOPIC for event in events] == ["node.terminated", "execution.terminated"]


LOOP = plan_of(
    {"s": SourceBlock, "e": EchoBlock, "t": TrioBlock},
    "s.out > e.value",
    "e.out > e.value",
    "s.item >> t.a",
    "e.item > t.b",
    "e.out > t.c",
)


def looped(rounds: int, keep: Callable[[list[Draft]], object]) -> Decider:
    """Each round runs `e`, which goes round, and `t`, which joins both its pins with a static value."""
    run = Run(LOOP)
    run.step(1, ("item", "s"), ("out", 0))
    keep(run.history)
    decider, at = run.decider, run.at
    for _ in range(rounds):
        for number in tuple(decider.state.ready):
            at += 1
            keep(decider.advance(Start((number,)), at))
            node = decider.state.node_executions[number]
            outputs = (("out", node.data["value"]), ("item", 1)) if node.node_id == "e" else ()
            keep(decider.advance(Report(number, 1, outputs, "completed"), at))
    return decider


def forget(drafts: Iterable[Draft]) -> None:
    """Nothing of the history stays."""


def test_a_loop_of_a_hundred_thousand_executions_keeps_its_state_small() -> None:
    early, late = looped(100, forget), looped(50_000, forget)
    assert late.state.stats.node_exec_count > 100_000
    assert len(late.state.node_executions) == len(early.state.node_executions) <= 3
    assert len(late.state.encode()) <= len(early.state.encode()) + 50
    index = late.propagation._matcher._lacking
    assert sum(len(queue) for pins in index.values() for queue in pins.values()) < 10


def test_a_loop_allocates_nothing_that_stays() -> None:
    decider = looped(10, forget)
    tracemalloc.start()
    try:
        decider = looped(200, forget)
        del decider
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        decider = looped(5_000, forget)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
        assert decider.state.status is S.RUNNING
    finally:
        tracemalloc.stop()


def test_folding_a_long_loop_gives_the_live_state() -> None:
    history: list[Draft] = []
    decider = looped(2_000, history.extend)
    assert fold(history).encode() == decider.state.encode()
