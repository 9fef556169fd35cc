"""Sub-graphs: an AGENT node's values come from another execution, each exactly once."""

from __future__ import annotations

from typing import Any

from tests.events.harness import AgentBlock, EchoBlock, GraphOutputBlock, Run, SourceBlock, plan_of, topics

from actbook.events import (
    ChildFinished,
    ChildOutput,
    ExecutionStatus,
    Fail,
    Handle,
    Parent,
    WarningRecorded,
)

S = ExecutionStatus

PARENT = plan_of(
    {"agent": AgentBlock, "e": EchoBlock, "f": EchoBlock}, "agent.answer > e.value", "agent.other > f.value"
)
CHILD = plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value", o={"name": "answer"})


def parent() -> Run:
    run = Run(PARENT)
    run.start(children={1: "child"})
    return run


def child() -> Run:
    return Run(CHILD, execution_id="child", parent=Parent("run", 1), root_id="run")


def values(run: Run, node_id: str) -> list[Any]:
    return [node.data["value"] for node in run.of(node_id)]


def upward(run: Run) -> list[Any]:
    return [draft.payload for draft in run.decider.upward]


def test_the_start_names_the_child() -> None:
    run = Run(PARENT)
    assert topics(run.start(children={1: "child"})) == ["node.started", "child.started"]
    assert run.state.node_executions[1].child_id == "child"


def test_the_childs_values_come_out_of_the_parents_node_under_their_names() -> None:
    run = parent()
    assert run.handle(ChildOutput("child", 1, "answer", 1)) == "output"
    run.handle(ChildOutput("child", 1, "other", 2))
    assert run.handle(ChildFinished("child", 1, "COMPLETED")) == "finished"
    assert (values(run, "e"), values(run, "f")) == ([1], [2])
    assert 1 not in run.state.node_executions


def test_each_message_counts_once_however_often_it_is_read() -> None:
    run = parent()
    message = ChildOutput("child", 1, "answer", 1)
    assert run.do(Handle(1, b"x" * 16, message))
    assert run.do(Handle(1, b"x" * 16, message)) == []
    run.reopen()
    assert run.do(Handle(1, b"x" * 16, message)) == []
    assert values(run, "e") == [1]
    assert run.state.inbox_version == 1


def test_a_child_that_finished_while_nobody_looked() -> None:
    run = parent()
    run.reopen()
    for message in (
        ChildOutput("child", 1, "answer", 1),
        ChildOutput("child", 1, "answer", 2),
        ChildFinished("child", 1, "COMPLETED"),
    ):
        run.handle(message)
    assert values(run, "e") == [1, 2]


def test_a_child_that_did_not_complete_leaves_a_warning() -> None:
    run = parent()
    run.handle(ChildFinished("child", 1, "FAILED", "no money"))
    warning = next(draft.payload for draft in run.history if isinstance(draft.payload, WarningRecorded))
    assert warning.text == "Sub-graph execution #child ended FAILED: no money"
    assert warning.node_exec == 1
    assert run.status() is S.COMPLETED


def test_words_of_strangers_are_ignored_and_handled() -> None:
    run = parent()
    assert run.handle(ChildOutput("stranger", 1, "answer", 1)).startswith("ignored")
    assert run.handle(ChildFinished("child", 7, "COMPLETED")).startswith("ignored")
    assert run.state.inbox_version == 2
    assert values(run, "e") == []


def test_a_finished_parent_ignores_its_child() -> None:
    run = parent()
    run.cancel()
    assert run.handle(ChildOutput("child", 1, "answer", 1)).startswith("ignored")
    assert run.status() is S.TERMINATED


def test_a_child_tells_its_parent_every_output_and_its_end() -> None:
    run = child()
    run.drive(
        {
            "s": lambda data: [("out", 1), ("out", None)],
            "o": lambda data: [("output", data["value"]), ("name", data["name"])],
        }
    )
    assert upward(run) == [
        ChildOutput("child", 1, "answer", 1),
        ChildOutput("child", 1, "answer", None),
        ChildFinished("child", 1, "COMPLETED"),
    ]


def test_the_parent_hears_the_childs_values_in_the_order_of_executions() -> None:
    run = child()
    run.step(1, ("out", 1), ("out", 2))
    run.start()
    run.complete(3, ("output", 2))
    assert upward(run) == []
    run.complete(2, ("output", 1))
    assert [message.value for message in upward(run)[:2]] == [1, 2]


def test_a_child_tells_its_parent_once_what_two_attempts_yielded() -> None:
    run = child()
    run.step(1, ("out", 1))
    run.start()
    run.yields(2, ("output", 1))
    told = upward(run)
    run.reopen()
    run.start(2)
    run.complete(2, ("output", 1))
    assert [*told, *upward(run)] == [
        ChildOutput("child", 1, "answer", 1),
        ChildFinished("child", 1, "COMPLETED"),
    ]


def test_a_failed_or_stopped_child_tells_why() -> None:
    failed, stopped = child(), child()
    failed.do(Fail("no money"))
    stopped.cancel()
    assert upward(failed) == [ChildFinished("child", 1, "FAILED", "no money")]
    assert upward(stopped) == [ChildFinished("child", 1, "TERMINATED", "enough")]


def test_an_execution_without_a_parent_tells_nobody() -> None:
    run = Run(CHILD)
    run.drive({"s": lambda data: [("out", 1)], "o": lambda data: [("output", 1)]})
    assert upward(run) == []


def test_the_context_of_a_childs_node_names_parent_and_root() -> None:
    run = child()
    context = run.state.context(run.state.node_executions[1])
    assert (context.parent_execution_id, context.root_execution_id) == ("run", "run")
    assert (context.graph_exec_id, context.node_exec_id, context.idempotency_key) == (
        "child",
        "child.1",
        "child.1",
    )
    assert run.state.correlation_id == "run"
