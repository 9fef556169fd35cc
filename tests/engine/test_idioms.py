"""The shapes that people draw again and again, with the standard blocks: outputs, node executions and leftovers exact."""

from __future__ import annotations

import pytest
from tests.blocks.graph_building import AI, AI_LIST, graph, node
from tests.engine.agent_graphs import Outcome, run_whole

from actbook.events import ExecutionStatus
from actbook.graphs import Graph

COMPLETED = ExecutionStatus.COMPLETED


def collector(*extra: str) -> Graph:
    """Every item of a fan-out is put into one list, which goes on once when it is long enough."""
    return graph(
        node("topics", AI_LIST, focus="rivers"),
        node("about", AI),
        node("seed", "CreateList", values=["TEMP"]),
        node("add", "AddToList"),
        node("count", "CountItems"),
        node("total", "CountItems"),
        node("expected", "StoreValue"),
        node("enough", "Condition", operator=">"),
        node("tidy", "RemoveFromList", value="TEMP"),
        node("out", "AgentOutput", name="Texts"),
        links="\n".join(
            (
                "topics.generated_list -> total.collection",
                "topics.list_item -> about.prompt",
                "total.count -> expected.input",
                "expected.output -> enough.value2",
                "about.response -> add.entry",
                "seed.list -> add.list",
                "add.updated_list -> add.list",
                "add.updated_list -> count.collection",
                "add.updated_list -> enough.yes_value",
                "count.count -> enough.value1",
                "enough.yes_output -> tidy.list",
                "tidy.updated_list -> out.value",
                *extra,
            )
        ),
        id="collector",
    )


@pytest.mark.parametrize("items", [1, 2, 9])
def test_a_collector_loop_gives_its_list_once(items: int) -> None:
    names = [f"item {number}" for number in range(items)]
    texts = [f"about {name}" for name in names]
    found = run_whole(
        collector(),
        {
            "topics": [[["generated_list", names], *(["list_item", name] for name in names)]],
            "about": [{"response": text} for text in texts],
        },
    )
    assert (found.status, found.outputs) == (COMPLETED, {"Texts": [texts]})
    assert found.left == {"add": [{"list": ["TEMP", *texts]}]}
    rounds = dict.fromkeys(("about", "add", "count", "enough"), items)
    once = dict.fromkeys(("topics", "seed", "total", "expected", "tidy", "out"), 1)
    assert found.ran == {**once, **rounds}


def test_a_collector_whose_entries_fail_never_gives_its_list_and_still_ends() -> None:
    found = run_whole(
        collector(),
        {
            "topics": [[["generated_list", ["a", "b"]], ["list_item", "a"], ["list_item", "b"]]],
            "about": [{"response": "about a"}, {"error": "overloaded"}],
        },
    )
    assert (found.status, found.outputs) == (COMPLETED, {})
    assert found.errors == {"about": ["overloaded"]}
    assert found.left == {"add": [{"list": ["TEMP", "about a"]}]}


def default_for_empty() -> Graph:
    return graph(
        node("ask", AI_LIST),
        node("there", "ExtractTextInformation", pattern=r"^(?!\s*$).+"),
        node("na", "StoreValue", data="N/A"),
        node("out", "AgentOutput", name="Phone"),
        links="""
            ask.list_item -> there.text
            there.positive -> out.value
            there.negative -> na.input
            na.output -> out.value
        """,
        id="default",
    )


@pytest.mark.parametrize("texts", [["x"], [""], ["a", " ", "b", "", ""]])
def test_each_negative_gives_exactly_one_default_and_a_positive_none(texts: list[str]) -> None:
    found = run_whole(default_for_empty(), {"ask": [[["list_item", text] for text in texts]]})
    empty = sum(not text.strip() for text in texts)
    assert found.status is COMPLETED
    assert sorted(found.outputs["Phone"]) == sorted(text if text.strip() else "N/A" for text in texts)
    expected = {"ask": 1, "there": len(texts), "na": empty, "out": len(texts)}
    assert found.ran == {name: count for name, count in expected.items() if count}
    assert found.left == {}


def retry_counter() -> Graph:
    """The count comes from a link that is not static, so that each failure counts once."""
    return graph(
        node("pitch", "AgentInput", name="Pitch"),
        node("prompt", "StoreValue"),
        node("ask", AI),
        node("failed", "AddToList", entries=[1]),
        node("failures", "CountItems"),
        node("zero", "CreateList", values=[]),
        node("more", "Condition", operator="<", value2=3, no_value="gave up"),
        node("again", "FillTextTemplate", format="again ({{ n }})", values={}),
        node("out", "AgentOutput", name="Answer"),
        node("bad", "AgentOutput", name="Error"),
        links="""
            pitch.result -> prompt.input
            prompt.output -> ask.prompt
            zero.list -> failed.list
            ask.error -> failed.entry
            failed.updated_list -> failed.list
            failed.updated_list -> failures.collection
            failures.count -> more.value1
            more.yes_output -> again.values_#_n
            again.output -> prompt.input
            ask.response -> out.value
            more.no_output -> bad.value
        """,
        id="retrying",
    )


@pytest.mark.parametrize("failures", [0, 1])
def test_a_failed_question_is_asked_again(failures: int) -> None:
    runs = [{"error": "overloaded"}] * failures + [{"response": "done"}]
    found = run_whole(retry_counter(), {"ask": runs}, inputs={"Pitch": "cats"})
    assert (found.status, found.outputs) == (COMPLETED, {"Answer": ["done"]})
    assert found.ran["ask"] == failures + 1
    assert found.errors == ({"ask": ["overloaded"]} if failures else {})
    assert list(found.left) == ["failed"]


def test_questions_that_always_fail_are_given_up() -> None:
    """Two entries per failure, so that the second one reaches the bound."""
    found = run_whole(retry_counter(), {"ask": {"error": "overloaded"}}, inputs={"Pitch": "cats"})
    assert (found.status, found.outputs) == (COMPLETED, {"Error": ["gave up"]})
    assert (found.ran["ask"], found.ran["failed"], found.ran["more"]) == (2, 2, 2)


def test_a_latched_retry_counter_that_is_never_needed_waits_beside() -> None:
    """`AI.error → StoreValue → Calculator.b`, the counter feeding itself: without a failure it never starts."""
    made = graph(
        node("ask", AI, prompt="?"),
        node("one", "StoreValue", data=1),
        node("zero", "UniversalTypeConverter", value=0, type="number"),
        node("count", "Calculator", operation="Add", a=0, b=1),
        node("more", "Condition", operator="<", value2="3"),
        node("out", "AgentOutput", name="Answer"),
        links="""
            ask.error -> one.input
            one.output -> count.b
            zero.value -> count.a
            count.result -> count.a
            count.result -> more.value1
            ask.response -> out.value
        """,
        id="counter",
    )
    found = run_whole(made, {"ask": {"response": "done"}})
    assert (found.status, found.outputs) == (COMPLETED, {"Answer": ["done"]})
    assert found.ran == {"ask": 1, "zero": 1, "out": 1}
    assert found.left == {"count": [{"a": 0.0}]}


def test_errors_travel_like_values_and_several_nodes_share_an_output() -> None:
    made = graph(
        node("one", AI, prompt="1"),
        node("two", AI, prompt="2"),
        node("three", "GetListItem", list=[1], index=5),
        node("bad", "AgentOutput", name="Error"),
        node("worse", "AgentOutput", name="Error"),
        links="""
            one.error -> bad.value
            two.error -> bad.value
            three.error -> worse.value
        """,
        id="errors",
    )
    found: Outcome = run_whole(made, {"one": {"error": "first"}, "two": {"error": "second"}})
    assert found.status is COMPLETED
    assert sorted(found.outputs["Error"]) == ["Index out of range", "first", "second"]
    assert found.errors == {"one": ["first"], "two": ["second"], "three": ["Index out of range"]}
    assert found.ran == {"one": 1, "two": 1, "three": 1, "bad": 2, "worse": 1}
