"""The progress of an execution, folded from its events."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._live import NodeProgress, Progress
from actbook.cli._live._screen import choose
from actbook.cli._live._summary import count_of, summary
from actbook.events import (
    Envelope,
    Event,
    ExecutionCompleted,
    ExecutionParked,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionStatus,
    ExecutionStopping,
    ExecutionTerminated,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeOutput,
    NodeQueued,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeStarted,
    NodeTerminated,
)

S = ExecutionStatus


def fold(*events: Event) -> Progress:
    """Of a graph with nodes `a` and `b`; the n-th event happens at n µs."""
    progress = Progress([("a", "A"), ("b", "B")])
    for number, event in enumerate(events, 1):
        progress.apply(Envelope(event, number, None, b"", "x", number, number, "", "", "", 1, b""))
    return progress


def queued(number: int, node: str = "a") -> NodeQueued:
    return NodeQueued(number, node, "block", {})


@pytest.mark.parametrize(
    ("events", "status", "last"),
    [
        ([], None, None),
        ([NodeCreated(1, "a", "block", {})], S.INCOMPLETE, None),
        ([NodeCreated(1, "a", "block", {}), queued(1)], S.QUEUED, None),
        ([queued(1), NodeStarted(1, 1, 1)], S.RUNNING, None),
        ([queued(1), NodeStarted(1, 1, 1), NodeOutput(1, (("o", 5),))], S.RUNNING, 5),
        ([queued(1), NodeStarted(1, 1, 1), NodeCompleted(1, (("o", 5), ("p", 6)))], S.COMPLETED, 5),
        ([queued(1), NodeStarted(1, 1, 1), NodeFailed(1, "boom")], S.FAILED, "boom"),
        ([queued(1), NodeStarted(1, 1, 1), NodeReviewRequested(1, "n", 1)], S.REVIEW, None),
        ([queued(1), NodeStarted(1, 1, 1), NodeTerminated((1,), "why")], S.TERMINATED, None),
        ([queued(1), NodeStarted(1, 1, 1), NodeCompleted(1), queued(2)], S.QUEUED, None),
        (
            [queued(1), NodeStarted(1, 1, 1), NodeCompleted(1), NodeCreated(2, "a", "block", {})],
            S.COMPLETED,
            None,
        ),
    ],
)
def test_a_node_shows_what_matters_most(events: list[Event], status: S | None, last: object) -> None:
    node = fold(*events).nodes["a"]
    assert (node.status, node.last) == (status, last)


def test_a_review_that_is_decided_runs_on() -> None:
    begin = [queued(1), NodeStarted(1, 1, 1), NodeReviewRequested(1, "n", 1)]
    assert fold(*begin, NodeReviewDecided(1, True, 1, "", "")).nodes["a"].status is S.RUNNING


def test_the_execution_moves_along() -> None:
    progress = fold(ExecutionQueued(), ExecutionStarted())
    assert (progress.status, progress.over, progress.started_at) == (S.RUNNING, False, 2)
    for event, status in ((ExecutionParked(), S.REVIEW), (ExecutionCompleted(), S.COMPLETED)):
        assert fold(ExecutionStarted(), event).status is status
        assert fold(ExecutionStarted(), event).over


def test_a_stopped_execution_that_is_resumed_is_not_over() -> None:
    begin = [ExecutionStarted(), queued(1), NodeStarted(1, 1, 1), ExecutionStopping("TERMINATED", "", "")]
    assert fold(*begin).stopping
    stopped = [*begin, NodeTerminated((1,), ""), ExecutionTerminated("", "")]
    assert fold(*stopped).ended_at == 6
    resumed = fold(*stopped, ExecutionResumed(""))
    assert (resumed.over, resumed.stopping, resumed.ended_at) == (False, False, 0)
    assert resumed.nodes["a"].status is S.QUEUED


def test_memory_follows_the_work_in_flight() -> None:
    events: list[Event] = []
    for number in range(1, 200):
        events += [queued(number), NodeStarted(number, 1, 1), NodeCompleted(number)]
    progress = fold(*events)
    assert progress.alive == {}
    assert progress.counts == Counter({S.COMPLETED: 199})


def test_counts_in_words() -> None:
    progress = fold(
        queued(1), NodeStarted(1, 1, 1), NodeCompleted(1), queued(2), NodeCreated(3, "b", "block", {})
    )
    assert summary(progress) == "1 done · 1 queued · 1 waiting for inputs"
    assert count_of(progress.nodes["a"]) == "1/2×"
    assert count_of(progress.nodes["b"]) == ""
    assert summary(fold()) == "nothing has run yet"


def test_in_little_room_those_at_work_stay_in_their_order() -> None:
    progress = Progress([(name, name) for name in "abcdef"])
    for number, name in enumerate("fbd", 1):
        progress.apply(
            Envelope(queued(number, name), number, None, b"", "x", number, number, "", "", "", 1, b"")
        )
    shown, hidden = choose(progress, 4)
    assert ([node.node_id for node in shown], hidden) == (["b", "d", "f"], 3)
    assert choose(progress, 6)[1] == 0


def test_a_node_that_the_graph_does_not_have_is_shown_all_the_same() -> None:
    assert isinstance(fold(queued(1, "unknown-node")).nodes["unknown-node"], NodeProgress)


def test_history_and_live_events_come_once_each(shell: Shell) -> None:
    """The lines of a follower in another process are those of the process that ran it."""
    path = shell.graph(graphs.adder())
    with shell.start("worker") as worker:
        worker.wait_for("Running sqlite:///")
        followed = shell("run", path, "--input", "Input=8").err.splitlines()[1:]
        worker.signal(15)
        worker.answer()
    own = shell("run", path, "--input", "Input=8").err.splitlines()[1:]
    assert followed == own
