"""The status machine: each of the 7 × 7 moves, and the times that go with them."""

from __future__ import annotations

import itertools

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, begin, finish, play, pure

from actbook.events import ExecutionStatus, IllegalTransitionError, can_move, check_move
from actbook.graphs import ActbookError

S = ExecutionStatus
ALLOWED = {
    "INCOMPLETE": "",
    "QUEUED": "INCOMPLETE TERMINATED REVIEW",
    "RUNNING": "INCOMPLETE QUEUED TERMINATED REVIEW",
    "COMPLETED": "RUNNING",
    "FAILED": "INCOMPLETE QUEUED RUNNING REVIEW",
    "TERMINATED": "INCOMPLETE QUEUED RUNNING REVIEW",
    "REVIEW": "RUNNING",
}


def test_there_are_seven_statuses() -> None:
    assert {status.name for status in S} == set(ALLOWED)
    assert {str(status) for status in S} == set(ALLOWED)


@pytest.mark.parametrize(("source", "target"), list(itertools.product(ALLOWED, ALLOWED)))
def test_a_move_is_allowed_or_told_with_both_statuses(source: str, target: str) -> None:
    current, wanted = ExecutionStatus(source), ExecutionStatus(target)
    legal = source in ALLOWED[target].split()
    assert can_move(current, wanted) is legal
    if legal:
        check_move(current, wanted)
        return
    with pytest.raises(IllegalTransitionError) as refused:
        check_move(current, wanted)
    assert isinstance(refused.value, ActbookError)
    assert (refused.value.current, refused.value.wanted) == (current, wanted)
    assert source in str(refused.value)
    assert target in str(refused.value)


@pytest.mark.parametrize("status", S)
def test_what_is_final_and_what_is_over(status: ExecutionStatus) -> None:
    assert status.is_final is (status in (S.COMPLETED, S.FAILED))
    assert status.is_terminal is (status in (S.COMPLETED, S.FAILED, S.TERMINATED))


def test_times_and_reason_of_a_completed_and_of_a_stopped_run() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Echo=pure(), Hold=gate.block())
        async with world.open() as engine:
            done = await finish(engine, world.graph("x:Input a:Echo", "x.result > a.value"), inputs={"x": 1})
            assert done.status is S.COMPLETED
            assert 0 < done.queued_at <= done.started_at <= done.ended_at
            held = world.graph("x:Input a:Hold", "x.result > a.value", called="held")
            run = await begin(engine, held, inputs={"x": 1})
            await gate.reached()
            stopped = await engine.stop_graph_execution(USER, run.id, PATIENCE, reason="enough")
            assert (stopped.status, stopped.reason, stopped.actor) == (S.TERMINATED, "enough", USER)
            assert stopped.ended_at >= stopped.started_at > 0
            assert not any(each.active for each in stopped.node_executions.values())

    play(test())
