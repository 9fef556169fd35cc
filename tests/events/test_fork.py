"""Forks: from any point of any history another execution goes on, and nothing of what was under way is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.events.audit import Audit
from tests.events.harness import AgentBlock, EchoBlock, GraphOutputBlock, Run, SourceBlock, plan_of
from tests.events.test_history import Act, Chaos, acts, alive, plans, shaken

from actbook.events import (
    ChildFinished,
    Decider,
    Draft,
    Envelope,
    ExecutionCreated,
    ExecutionForked,
    ExecutionStatus,
    ForkPoints,
    Limits,
    NodeQueued,
    Origin,
    Parent,
    Report,
    Start,
    created_as_fork,
    fold,
    forked,
)
from actbook.graphs import Plan

S = ExecutionStatus
FORK = ExecutionForked("ada", "another way")
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def recorded(history: Sequence[Draft]) -> list[Envelope]:
    return [
        Envelope(d.payload, d.at, d.cause, b"", "run", version, version, "u", "run", "", 1, b"")
        for version, d in enumerate(history, 1)
    ]


def fork_of(history: Sequence[Draft], position: int, **edits: Any) -> list[Draft]:
    events = recorded(history)
    version = ForkPoints(events).usable(position)
    origin = events[0].payload
    assert isinstance(origin, ExecutionCreated)
    created = created_as_fork(origin, version, "fork", edits.get("inputs", {}), edits.get("limits"))
    return forked(events[:version], created, edits.get("data", {}), FORK, history[-1].at + 1)


class Fork(Run):
    """A fork that the test drives on."""

    def __init__(self, plan: Plan, history: list[Draft]) -> None:
        self.plan = plan
        self.history = history
        self.at = history[-1].at
        self.inbox_version = 0
        self.decider = Decider(plan, fold(history))
        self.claim()

    def finish(self) -> None:
        """Runs whatever can run, oldest first, with bodies that yield what follows from their data."""
        for _ in range(500):
            state = self.state
            numbers = [*state.interrupted, *state.ready]
            if not numbers:
                return
            self._run(numbers[0])
        raise AssertionError("still not done")

    def _run(self, number: int) -> None:
        node = self.state.node_executions[number]
        agent = node.block_id == AgentBlock.id
        self.do(Start((number,), {number: f"child {number}"} if agent else {}))
        if node.status is not S.RUNNING:
            return
        if agent:
            self.handle(ChildFinished(node.child_id, number, "COMPLETED"))
        else:
            self.do(Report(number, node.attempt, outputs_of(node.block_id, node.data), "completed"))


def outputs_of(block_id: str, data: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    if block_id == GraphOutputBlock.id:
        return (("output", data.get("value")),)
    return (("out", repr(sorted(data.items()))[:40]), ("item", 1))


def driven(plan: Plan) -> Fork:
    """An execution that ran to its end the same way as its forks will."""
    run = Run(plan, limits=Limits(node_executions=40), claimed=False)
    return finished(Fork(plan, run.history))


def finished(run: Fork) -> Fork:
    run.finish()
    return run


@SLOW
@given(plans(), acts, st.booleans(), st.integers(0, 10_000))
def test_any_history_can_be_forked_anywhere(plan: Plan, todo: list[Act], nested: bool, cut: int) -> None:
    history = shaken(plan, todo, parent=Parent("parent", 1) if nested else None).run.history
    fork = fork_of(history, cut % len(history) + 1)
    Audit().read(fork)
    live = fold(fork)
    assert (live.id, live.status, live.parent, live.stopping) == ("fork", S.QUEUED, None, None)
    assert live.origin == Origin("run", len(fork) - 1)
    assert (live.worker, live.started_at, live.created_at) == ("", 0, fork[-1].at)
    full = alive(fold(fork, retain=True))
    full["node_executions"] = {n: full["node_executions"][n] for n in live.node_executions}
    assert full == alive(live)
    assert not any(node.status is S.TERMINATED for node in live.node_executions.values())


@SLOW
@given(plans(), acts, acts, st.integers(0, 10_000))
def test_a_fork_lives_like_any_execution(plan: Plan, todo: list[Act], more: list[Act], cut: int) -> None:
    history = shaken(plan, todo).run.history
    chaos = Chaos(plan)
    chaos.run = Fork(plan, fork_of(history, cut % len(history) + 1))
    for act in more:
        chaos.act(act)
    run = chaos.run
    assert Audit().read(run.history).status == run.status()
    assert fold(run.history).encode() == run.state.encode()


def result(run: Run) -> tuple[str, dict[str, list[str]], Counter[tuple[str, str]]]:
    state = fold(run.history, retain=True)
    nodes = Counter((node.node_id, str(node.status)) for node in state.node_executions.values())
    return (
        str(state.status),
        {name: sorted(map(repr, values)) for name, values in state.outputs.items()},
        nodes,
    )


@SLOW
@given(plans())
def test_a_fork_at_any_point_comes_to_the_end_of_its_origin(plan: Plan) -> None:
    origin = driven(plan)
    assume(origin.status() is S.COMPLETED)
    for position in range(1, len(origin.history) + 1):
        fork = finished(Fork(plan, fork_of(origin.history, position)))
        assert result(fork) == result(origin), position


def test_what_goes_beyond_a_bound_is_made_again_in_a_fork_with_a_higher_one() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock, "f": EchoBlock}, "s.out > e.value", "e.out > f.value")
    run = Run(plan, limits=Limits(node_executions=3))
    run.step(1, ("out", 1), ("out", 2))
    run.start(2, 3)
    run.complete(2, ("out", "x"))
    assert run.state.stopping is not None
    run.stopped(3)
    assert run.status() is S.FAILED
    fork = Fork(plan, fork_of(run.history, len(run.history), limits=Limits(node_executions=10)))
    fork.start(*fork.state.interrupted)
    fork.complete(2, ("out", "x"))
    fork.complete(3, ("out", "y"))
    assert [node.data["value"] for node in fork.of("f")] == ["x", "y"]


def test_edits_replace_the_data_of_what_was_queued() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")
    run = Run(plan)
    run.step(1, ("out", 1))
    points = ForkPoints(recorded(run.history))
    assert points.starting() == {"s": 1}
    fork = fork_of(run.history, len(run.history), data={2: {"value": "edited"}}, inputs={"x": 2})
    assert fold(fork).node_executions[2].data == {"value": "edited"}
    assert fold(fork).inputs == {"x": 2}
    queued = [draft.payload.data for draft in run.history if isinstance(draft.payload, NodeQueued)]
    assert queued == [{}, {"value": 1}]


def test_the_last_point_before_a_node_execution_told_something() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")
    run = Run(plan)
    run.start(1)
    before = len(run.history)
    run.yields(1, ("out", 1))
    run.complete(1)
    points = ForkPoints(recorded(run.history))
    head = len(run.history)
    assert points.before_use_of([1], head) == before
    assert points.before_use_of([2], head) == head
    assert points.before_use_of([1], points.first) == points.first
    assert points.usable(1) == points.first == 3


def versions(numbers: Iterable[int]) -> list[int]:
    return sorted(set(numbers))


def test_a_decision_is_taken_over_as_a_whole_and_an_end_is_not() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")
    run = Run(plan)
    run.step(1, ("out", 1))
    run.step(2)
    assert run.topics() == [
        "execution.created", "node.queued", "execution.queued", "execution.claimed", "execution.started",
        "node.started", "node.completed", "node.queued", "node.started", "node.completed", "execution.completed",
    ]  # fmt: skip
    points = ForkPoints(recorded(run.history))
    usable = [points.usable(position) for position in range(1, len(run.history) + 1)]
    assert usable == [3, 3, 3, 5, 5, 6, 8, 8, 9, 10, 10]
    assert versions(usable) == [3, 5, 6, 8, 9, 10]


def test_a_stop_is_left_out_and_an_earlier_one_is_kept() -> None:
    plan = plan_of({"s": SourceBlock})
    run = Run(plan)
    run.start(1)
    run.cancel()
    run.stopped(1)
    first = len(run.history)
    run.resume()
    run.start(1)
    run.cancel()
    run.stopped(1)
    fork = fold(fork_of(run.history, len(run.history)))
    assert (fork.status, list(fork.ready), fork.inbox_version) == (S.QUEUED, [1], 0)
    topics = [draft.payload.TOPIC for draft in fork_of(run.history, len(run.history))]
    assert topics.count("execution.terminated") == 1
    early = [draft.payload.TOPIC for draft in fork_of(run.history, first)]
    assert early.count("execution.terminated") == 0
