"""A run with a start time stays QUEUED until then."""

from __future__ import annotations

from tests.events.harness import Run, SourceBlock, plan_of, topics

from actbook.events import ExecutionStatus, fold

S = ExecutionStatus
LATER = 9_000_000


def delayed() -> Run:
    return Run(plan_of({"s": SourceBlock}), claimed=False, start_at=LATER)


def test_it_is_not_claimed_before_its_time() -> None:
    run = delayed()
    assert run.payloads("execution.created")[0].start_at == LATER
    assert run.claim() == []
    assert run.start() == []
    assert run.status() is S.QUEUED


def test_at_its_time_it_runs() -> None:
    run = delayed()
    run.at = LATER
    assert topics(run.claim()) == ["execution.claimed", "execution.started"]
    run.step(1)
    assert run.status() is S.COMPLETED


def test_a_cancel_before_ends_it_at_once() -> None:
    run = delayed()
    assert run.cancel() == "stopped"
    assert run.status() is S.TERMINATED
    run.at = LATER
    run.claim()
    assert run.start() == []


def test_the_time_survives_its_worker() -> None:
    run = delayed()
    assert fold(run.history).start_at == LATER


def test_a_resume_does_not_wait() -> None:
    run = delayed()
    run.cancel()
    run.claim()
    assert run.resume() == "resumed"
    assert topics(run.start()) == ["node.started"]
