"""Human in the loop: waiting for a person, deciding, and going on."""

from __future__ import annotations

from typing import Any

from tests.events.harness import (
    AgentBlock,
    EchoBlock,
    ReviewBlock,
    Run,
    SensitiveBlock,
    SourceBlock,
    plan_of,
    topics,
)

from actbook.events import ExecutionStatus, Fail, NodeFailed, RequestReview, ReviewDecided, fold

S = ExecutionStatus

PLAN = plan_of(
    {
        "s": SourceBlock,
        "r": ReviewBlock,
        "yes": EchoBlock,
        "no": EchoBlock,
        "said": EchoBlock,
        "other": EchoBlock,
    },
    "s.out > r.data",
    "s.item > other.value",
    "r.approved_data > yes.value",
    "r.rejected_data > no.value",
    "r.review_message > said.value",
)


def asked(*, editable: bool = True, other: bool = False) -> Run:
    """Node execution 2 waits for a person, with `other` running as 3 if wanted."""
    run = Run(PLAN)
    run.step(1, ("out", "draft"), *([("item", 0)] if other else []))
    run.start()
    run.do(RequestReview(2, 1, "look", "draft", editable))
    return run


def values(run: Run, node_id: str) -> list[Any]:
    return [node.data["value"] for node in run.of(node_id)]


def test_only_reviews_left_parks_the_execution() -> None:
    run = asked()
    assert run.status() is S.REVIEW
    assert run.topics()[-1] == "execution.parked"
    review = run.of("r")[0].review
    assert review is not None
    assert (review.name, review.data, review.approved) == ("look", "draft", None)


def test_it_is_not_parked_while_others_run_or_are_queued() -> None:
    run = asked(other=True)
    assert run.status() is S.RUNNING
    run.complete(3)
    assert run.status() is S.REVIEW


def test_a_waiting_sub_graph_is_work_left() -> None:
    plan = plan_of({"s": SourceBlock, "agent": AgentBlock, "r": ReviewBlock}, "s.out > r.data")
    run = Run(plan)
    run.start(children={2: "child"})
    run.complete(1, ("out", 1))
    run.start()
    run.do(RequestReview(3, 1, "look", 1))
    assert run.status() is S.RUNNING


def test_approve() -> None:
    run = asked()
    assert run.handle(ReviewDecided(2, True, "bob")) == "approved"
    assert (values(run, "yes"), values(run, "no"), values(run, "said")) == (["draft"], [], [])
    assert run.status() is S.RUNNING
    assert run.state.reviews == {}


def test_approve_with_edits_and_a_message() -> None:
    run = asked()
    run.handle(ReviewDecided(2, True, "bob", "fine", edited=True, data="final"))
    assert (values(run, "yes"), values(run, "said")) == (["final"], ["fine"])


def test_data_without_edited_is_ignored() -> None:
    run = asked()
    run.handle(ReviewDecided(2, True, "bob", data="final"))
    assert values(run, "yes") == ["draft"]


def test_reject() -> None:
    run = asked()
    assert run.handle(ReviewDecided(2, False, "bob", "no way")) == "rejected"
    assert (values(run, "yes"), values(run, "no"), values(run, "said")) == ([], ["draft"], ["no way"])


def test_what_is_not_editable_is_refused_edited_and_stays_to_be_decided() -> None:
    run = asked(editable=False)
    assert (
        run.handle(ReviewDecided(2, True, "bob", edited=True, data="x"))
        == "refused: Review 2 is not editable"
    )
    assert run.status() is S.REVIEW
    assert run.handle(ReviewDecided(2, True, "bob")) == "approved"


def test_the_same_decision_twice_counts_once() -> None:
    run = asked()
    run.handle(ReviewDecided(2, True, "bob"))
    assert run.handle(ReviewDecided(2, True, "bob")).startswith("ignored")
    assert run.handle(ReviewDecided(99, True, "bob")).startswith("ignored")
    assert values(run, "yes") == ["draft"]


def test_a_decision_while_other_branches_run() -> None:
    run = asked(other=True)
    run.handle(ReviewDecided(2, True, "bob"))
    assert values(run, "yes") == ["draft"]
    assert list(run.state.running) == [3]
    assert run.topics().count("execution.started") == 1


def test_the_last_of_several_decisions_ends_the_waiting() -> None:
    run = Run(PLAN)
    run.step(1, ("out", "a"), ("out", "b"))
    run.start()
    run.do(RequestReview(2, 1, "look", "a"))
    run.do(RequestReview(3, 1, "look", "b"))
    run.handle(ReviewDecided(3, True, "bob"))
    assert run.status() is S.REVIEW
    assert values(run, "yes") == []
    run.handle(ReviewDecided(2, True, "bob"))
    assert values(run, "yes") == ["a", "b"]


def test_a_pending_review_survives_its_worker() -> None:
    run = asked()
    run.reopen()
    assert run.state.interrupted == ()
    assert run.handle(ReviewDecided(2, True, "bob")) == "approved"


def test_a_decision_for_a_failing_run_is_ignored() -> None:
    run = asked(other=True)
    run.do(Fail("out of time"))
    assert run.handle(ReviewDecided(2, True, "bob")) == "ignored: the execution is being stopped"
    run.stopped(3)
    assert run.status() is S.FAILED
    assert run.state.reviews == {}


SENSITIVE = plan_of(
    {"s": SourceBlock, "act": SensitiveBlock, "done": EchoBlock, "bad": EchoBlock},
    "s.out > act.value",
    "act.out > done.value",
    "act.error > bad.value",
)


def sensitive() -> Run:
    run = Run(SENSITIVE)
    run.step(1, ("out", "order"))
    run.start()
    run.do(RequestReview(2, 1, "SensitiveBlock", {"value": "order"}))
    return run


def test_an_approved_action_starts_again_and_its_block_runs() -> None:
    run = sensitive()
    run.handle(ReviewDecided(2, True, "bob", edited=True, data={"value": "smaller order"}))
    assert run.status() is S.RUNNING
    assert run.state.interrupted == (2,)
    assert [event.attempt for event in run.start(2)] == [2]
    review = run.state.node_executions[2].review
    assert review is not None
    assert (review.approved, review.data) == (True, {"value": "smaller order"})
    run.complete(2, ("out", "ordered"))
    assert values(run, "done") == ["ordered"]


def test_an_approved_action_whose_worker_died_starts_again() -> None:
    run = sensitive()
    run.handle(ReviewDecided(2, True, "bob"))
    run.reopen()
    assert run.state.interrupted == (2,)
    assert topics(run.start(2)) == ["node.started"]


def test_a_rejected_action_fails_its_node() -> None:
    run = sensitive()
    run.handle(ReviewDecided(2, False, "bob", "too much"))
    failed = next(draft.payload for draft in run.history if isinstance(draft.payload, NodeFailed))
    assert failed.error == "Block execution rejected by reviewer: too much"
    assert values(run, "bad") == ["Block execution rejected by reviewer: too much"]
    assert run.state.stats.node_error_count == 1


def test_every_decision_is_in_the_history() -> None:
    run = asked()
    run.handle(ReviewDecided(2, False, "bob", "no", edited=True, data="x"))
    review = fold(run.history, retain=True).node_executions[2].review
    assert review is not None
    assert (review.approved, review.data, review.message, review.reviewer) == (False, "x", "no", "bob")
