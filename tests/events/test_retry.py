"""A failed attempt with a retry policy: tried again at its time, and only the last failure is one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.harness import AgentBlock, EchoBlock, Run, SourceBlock, plan_of, topics

from actbook.events import (
    ChildFinished,
    ChildOutput,
    ExecutionStatus,
    Fail,
    NodeStats,
    Report,
    Start,
)
from actbook.events._retrying import chance, retry_due
from actbook.graphs import RetryPolicy

S = ExecutionStatus


def retrying(**policy: Any) -> Run:
    """A source with that policy, whose values and errors go to an echo."""
    given = {"attempts": 3, "initial_seconds": 10, "jitter": 0, **policy}
    plan = plan_of(
        {"s": SourceBlock, "e": EchoBlock},
        "s.out > e.value",
        "s.error > e.value",
        metadata={"s": {"retry": given}},
    )
    run = Run(plan)
    run.start()
    return run


def fail(run: Run, error_type: str = "ConnectionError", *outputs: tuple[str, Any]) -> list[Any]:
    attempt = run.state.node_executions[1].attempt
    stats = NodeStats(2.0, 1.0)
    return run.do(Report(1, attempt, outputs, "failed", "no answer", error_type, stats=stats))


def values(run: Run) -> list[Any]:
    return [node.data["value"] for node in run.of("e")]


def test_a_failed_attempt_is_followed_by_another_one_at_its_time() -> None:
    run = retrying()
    (event,) = fail(run)
    assert event.TOPIC == "node.retry_scheduled"
    assert (event.node_exec, event.error, event.error_type) == (1, "no answer", "ConnectionError")
    assert event.due == run.at + 10_000_000
    assert run.state.retries == {1: event.due}
    assert (run.status(), run.state.node_executions[1].status) == (S.RUNNING, S.RUNNING)
    (started,) = run.start(1)
    assert (started.TOPIC, started.attempt) == ("node.started", 2)
    assert run.state.retries == {}
    assert run.state.context(run.state.node_executions[1]).idempotency_key == "run.1"
    run.complete(1, ("out", "well"))
    assert values(run) == ["well"]
    assert run.state.stats.node_error_count == 0


def test_the_last_failure_is_the_nodes() -> None:
    run = retrying()
    pauses = []
    for _ in range(2):
        (event,) = fail(run)
        pauses.append(event.due - run.at)
        run.start(1)
    assert pauses == [10_000_000, 20_000_000]
    assert topics(fail(run)) == ["node.failed", "node.queued"]
    assert values(run) == ["no answer"]
    assert run.state.stats.node_error_count == 1


@pytest.mark.parametrize(
    ("errors", "error_type", "again"),
    [
        ([], "ConnectionError", True),
        ([], "", True),
        ([], "CancelledError", False),
        (["CancelledError"], "CancelledError", True),
        (["TimeoutError"], "ConnectionError", False),
        (["TimeoutError", "ConnectionError"], "ConnectionError", True),
        (["OSError"], "ConnectionResetError", True),
        (["ConnectionResetError"], "OSError", False),
        (["MyError"], "MyError", True),
        (["MyError"], "", False),
    ],
)
def test_only_the_errors_that_the_policy_names_are_tried_again(
    errors: list[str], error_type: str, again: bool
) -> None:
    run = retrying(errors=errors)
    assert topics(fail(run, error_type))[0] == ("node.retry_scheduled" if again else "node.failed")


def test_what_an_attempt_yielded_stays_and_counts_once() -> None:
    run = retrying()
    run.yields(1, ("out", 1))
    assert topics(fail(run, "OSError", ("out", 2))) == ["node.output", "node.queued", "node.retry_scheduled"]
    assert values(run) == [1, 2]
    run.start(1)
    run.complete(1, ("out", 1), ("out", 2), ("out", 3))
    assert values(run) == [1, 2, 3]


def test_times_of_all_attempts_add_up() -> None:
    run = retrying()
    fail(run)
    run.start(1)
    attempt = run.state.node_executions[1].attempt
    run.do(Report(1, attempt, (), "completed", stats=NodeStats(3.0, 0.5)))
    assert (run.state.stats.node_wall, run.state.stats.node_cpu) == (5.0, 1.5)


def test_a_cancel_ends_it_at_once_while_it_waits() -> None:
    run = retrying()
    fail(run)
    assert run.cancel() == "stopped"
    assert (run.status(), run.state.retries) == (S.TERMINATED, {})
    assert run.start(1) == []


def test_the_end_of_the_runs_time_ends_it_while_it_waits() -> None:
    run = retrying()
    fail(run)
    run.do(Fail("too long"))
    assert (run.status(), run.state.retries) == (S.FAILED, {})


def test_a_failure_while_stopping_is_the_last_one() -> None:
    run = retrying()
    run.cancel()
    assert run.status() is S.RUNNING
    assert "node.retry_scheduled" not in topics(fail(run))
    assert run.status() is S.TERMINATED


def test_a_new_owner_lets_it_wait_on() -> None:
    run = retrying()
    fail(run)
    run.reopen()
    assert run.state.interrupted == ()
    assert list(run.state.retries) == [1]
    (started,) = run.start(1)
    assert (started.attempt, started.epoch) == (2, 2)


def test_attempts_that_a_crash_interrupted_do_not_count() -> None:
    run = retrying(attempts=2)
    for _ in range(5):
        run.reopen()
        run.start(1)
    assert topics(fail(run)) == ["node.retry_scheduled"]


def test_waiting_for_an_attempt_counts_as_progress() -> None:
    run = retrying()
    run.reopen()
    assert run.state.claims
    fail(run)
    assert run.state.claims == 0


def test_late_words_of_the_failed_attempt_change_nothing() -> None:
    run = retrying()
    fail(run)
    before = run.state.encode()
    assert run.do(Report(1, 1, (("out", "late"),), "completed")) == []
    assert run.do(Report(1, 1, (), "failed", "late")) == []
    assert run.state.encode() == before


def test_others_go_on_meanwhile_and_the_run_waits_for_the_retry() -> None:
    run = retrying()
    run.yields(1, ("out", 1))
    fail(run)
    run.step(2)
    assert run.status() is S.RUNNING
    run.start(1)
    run.complete(1, ("out", 1))
    assert run.status() is S.COMPLETED


def test_a_resumed_node_begins_without_waiting() -> None:
    run = retrying()
    fail(run)
    run.cancel()
    run.resume()
    assert list(run.state.ready) == [1]
    assert [event.attempt for event in run.start()] == [2]


class Patient(SourceBlock):
    id = "00000000-0000-4000-8000-000000000077"
    retry = RetryPolicy(attempts=2, initial_seconds=5, jitter=0)


def test_a_block_declares_a_policy_and_a_nodes_own_wins() -> None:
    from tests.events.harness import BLOCKS

    BLOCKS[Patient.id] = Patient()
    declared = Run(plan_of({"s": Patient}))
    declared.start()
    (event,) = declared.fail(1, "broken")
    assert event.due - declared.at == 5_000_000
    own = Run(plan_of({"s": Patient}, metadata={"s": {"retry": {"attempts": 1}}}))
    own.start()
    assert topics(own.fail(1, "broken"))[0] == "node.failed"


def agent_run(**options: Any) -> Run:
    links = ("a.answer > e.value", "a.error > e.value")
    run = Run(plan_of({"a": AgentBlock, "e": EchoBlock}, *links, metadata={"a": options}))
    run.start(children={1: "child"})
    return run


def finished(run: Run, status: str, text: str = "", child: str = "child") -> str:
    return run.handle(ChildFinished(child, 1, status, text))


@pytest.mark.parametrize("status", ["FAILED", "TERMINATED"])
def test_a_sub_graphs_failure_comes_out_of_the_error_pin_by_option(status: str) -> None:
    run = agent_run(error_pin=True)
    run.handle(ChildOutput("child", 1, "answer", 42))
    assert finished(run, status, "out of paper") == "failed"
    assert values(run) == [42, "out of paper"]
    assert run.state.stats.node_error_count == 1
    assert not run.payloads("warning.recorded")


def test_an_end_without_a_text_is_told_all_the_same() -> None:
    run = agent_run(error_pin=True)
    finished(run, "TERMINATED")
    assert values(run) == ["Sub-graph execution #child ended TERMINATED"]


def test_without_the_option_a_sub_graphs_failure_is_a_warning() -> None:
    run = agent_run()
    assert finished(run, "FAILED", "out of paper") == "finished"
    assert run.state.stats.node_error_count == 0
    assert len(run.payloads("warning.recorded")) == 1


def test_a_failed_sub_graph_is_tried_again_as_another_execution() -> None:
    run = agent_run(error_pin=True, retry={"attempts": 2})
    run.handle(ChildOutput("child", 1, "answer", 1))
    assert finished(run, "FAILED", "out of paper") == "failed"
    assert list(run.state.retries) == [1]
    assert run.state.node_executions[1].child_id == ""
    run.do(Start((1,), {1: "second"}))
    assert run.handle(ChildOutput("child", 1, "answer", "late")).startswith("ignored")
    run.handle(ChildOutput("second", 1, "answer", 1))
    run.handle(ChildOutput("second", 1, "answer", 2))
    finished(run, "COMPLETED", child="second")
    assert values(run) == [1, 2]


def test_a_stopped_sub_graph_is_not_tried_again() -> None:
    run = agent_run(error_pin=True, retry={"attempts": 2})
    finished(run, "TERMINATED", "enough")
    assert values(run) == ["enough"]


POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 100),
    initial_seconds=st.floats(0, 1000),
    factor=st.floats(1, 100),
    max_seconds=st.floats(0, 10_000),
    jitter=st.floats(0, 1),
)


@given(POLICIES, st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_bounded_and_jitter_only_shortens_it(
    policy: RetryPolicy, failures: int, chance: float
) -> None:
    longest = policy.pause(failures, 0.0)
    assert 0 <= longest <= policy.max_seconds
    assert (
        longest * (1 - policy.jitter) <= policy.pause(failures, chance) * (1 + 1e-9) <= longest * (1 + 1e-9)
    )
    assert policy.pause(failures + 1, 0.0) >= longest * (1 - 1e-9)


@given(st.uuids().map(str), st.integers(1, 10**6), st.integers(1, 1000))
def test_the_chance_follows_from_what_is_recorded(execution_id: str, number: int, attempt: int) -> None:
    drawn = chance(execution_id, number, attempt)
    assert 0 <= drawn < 1
    assert chance(execution_id, number, attempt) == drawn
    assert chance(execution_id, number, attempt + 1) != drawn


def test_chances_spread_what_failed_together() -> None:
    tenths = {int(chance("run", number, 1) * 10) for number in range(100)}
    assert tenths == set(range(10))


def test_deciding_twice_gives_the_same_time() -> None:
    run = retrying(jitter=1)
    node, policy = run.state.node_executions[1], RetryPolicy(jitter=1)
    first = retry_due(policy, run.state, node, "OSError", 7)
    assert first == retry_due(policy, run.state.copy(), node, "OSError", 7)
    assert first is not None
    assert 7 <= first <= 7 + 1_000_000
