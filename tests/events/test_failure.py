"""A failed node: its error travels like a value, what it yielded before stays, the graph goes on."""

from __future__ import annotations

from tests.events.harness import EchoBlock, GraphOutputBlock, Run, SourceBlock, plan_of, topics

from actbook.events import ExecutionStatus, NodeFailed, NodeOutput, Report

S = ExecutionStatus

PLAN = plan_of(
    {"s": SourceBlock, "ok": EchoBlock, "bad": GraphOutputBlock},
    "s.out > ok.value",
    "s.error > bad.value",
    bad={"name": "Error"},
)


def test_the_error_travels_and_the_graph_completes() -> None:
    run = Run(PLAN)
    run.start()
    run.fail(1, "no such page", ("out", 1))
    assert [node.data["value"] for node in run.of("ok")] == [1]
    run.drive({"bad": lambda data: [("output", data["value"])]})
    assert run.status() is S.COMPLETED
    assert run.state.outputs == {"Error": ["no such page"]}
    assert run.state.stats.node_error_count == 1
    assert run.state.error == ""


def test_outputs_before_the_error_are_recorded_before_it() -> None:
    run = Run(PLAN)
    run.start()
    events = run.fail(1, "x", ("out", 1), ("error", "x"))
    assert topics(events) == ["node.output", "node.queued", "node.failed", "node.queued"]
    output, failed = events[0], events[2]
    assert isinstance(output, NodeOutput)
    assert output.outputs == (("out", 1),)
    assert isinstance(failed, NodeFailed)
    assert failed.outputs == (("error", "x"),)


def test_an_empty_error_text_becomes_the_class_name() -> None:
    run = Run(PLAN)
    run.start()
    events = run.do(Report(1, 1, (), "failed", "", "TimeoutError", expected=False))
    failed = next(event for event in events if isinstance(event, NodeFailed))
    assert (failed.error, failed.outputs, failed.expected) == (
        "TimeoutError",
        (("error", "TimeoutError"),),
        False,
    )


def test_without_an_error_link_the_graph_still_completes() -> None:
    run = Run(plan_of({"s": SourceBlock}))
    run.start()
    run.fail(1, "broken")
    assert run.status() is S.COMPLETED
    assert run.state.node_executions == {}


def test_other_branches_are_untouched() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock, "e": EchoBlock}, "b.out > e.value"))
    run.start()
    run.fail(1, "broken")
    run.complete(2, ("out", 1))
    assert [node.status for node in run.of("e")] == [S.QUEUED]
    assert run.status() is S.RUNNING
