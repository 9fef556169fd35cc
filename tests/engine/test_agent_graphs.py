"""Whole agent graphs with what real ones use: dynamic pins, tools, nested agents, people, masks, memory, notes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.blocks.graph_building import AI, EXECUTE_CODE, ORCHESTRATOR, WEB_REQUEST, graph, node
from tests.engine.agent_graphs import outcome_of, run_in, run_whole
from tests.engine.kit import PATIENCE, USER, World, agent, begin, play

from actbook.events import ExecutionStatus, Settings
from actbook.graphs import AGENT_BLOCK_ID, Graph, Link, Node

COMPLETED, REVIEW = ExecutionStatus.COMPLETED, ExecutionStatus.REVIEW


def test_paths_select_parts_of_outputs_and_build_inputs() -> None:
    made = graph(
        node("call", WEB_REQUEST, url="https://shop.invalid"),
        node("facts", "CreateDictionary", values={}),
        node("line", "CombineTexts", input=[], delimiter="/"),
        node("letter", "FillTextTemplate", values={}, format="{{ Name }} owes {{ sum }}"),
        node("facts out", "AgentOutput", name="Facts!"),
        node("line out", "AgentOutput", name="Line"),
        node("letter out", "AgentOutput", name="Letter"),
        links="""
            call.response_#_status -> facts.values_#_Http Status
            call.response_#_rows_$_1_#_name -> facts.values_#_second
            call.response_#_rows_$_0_#_name -> line.input_$_1
            call.response_#_rows_$_1_#_name -> line.input_$_0
            call.response_#_rows_$_1_#_name -> letter.values_#_Name
            call.response_#_sum -> letter.values_#_sum
            facts.dictionary -> facts out.value
            line.output -> line out.value
            letter.output -> letter out.value
        """,
        id="paths",
    )
    response = {"status": 200, "sum": 0, "rows": [{"name": "Ada"}, {"name": "Bob"}]}
    found = run_whole(made, {"call": {"response": response}})
    assert found.outputs == {
        "Facts!": [{"Http Status": 200, "second": "Bob"}],
        "Line": ["Bob/Ada"],
        "Letter": ["Bob owes 0"],
    }
    assert set(found.ran.values()) == {1}
    assert found.left == {}


@pytest.mark.parametrize(
    "response", [{"rows": [{"name": None}]}, {"rows": []}, {"rows": {"0": {"name": "x"}}}, "text", [1], None]
)
def test_a_path_that_leads_nowhere_delivers_nothing(response: Any) -> None:
    made = graph(
        node("call", WEB_REQUEST, url="u"),
        node("out", "AgentOutput", name="Name"),
        node("attribute", "AgentOutput", name="Never"),
        links="""
            call.response_#_rows_$_0_#_name -> out.value
            call.response_@_rows -> attribute.value
        """,
        id="nowhere",
    )
    found = run_whole(made, {"call": {"response": response}})
    assert (found.status, found.outputs, found.ran) == (COMPLETED, {}, {"call": 1})


def test_half_of_a_built_input_waits() -> None:
    made = graph(
        node("call", WEB_REQUEST, url="u"),
        node("line", "CombineTexts", input=[]),
        links="""
            call.response -> line.input_$_0
            call.client_error -> line.input_$_1
        """,
        id="half",
    )
    found = run_whole(made, {"call": [[["response", "a"], ["response", "b"], ["client_error", "c"]]]})
    assert found.ran == {"call": 1, "line": 1}
    assert found.left == {"line": [{"input_$_0": "b"}]}


def test_a_constant_list_is_overlaid_item_by_item() -> None:
    made = graph(
        node("call", WEB_REQUEST, url="u"),
        node("line", "CombineTexts", input=["x", "y"], delimiter="-"),
        node("out", "AgentOutput", name="Line"),
        links="""
            call.response -> line.input_$_3
            line.output -> out.value
        """,
        id="padded",
    )
    found = run_whole(made, {"call": {"response": "z"}})
    assert found.outputs == {"Line": ["x-y-null-z"]}


def orchestrated() -> Graph:
    """Links out of an orchestrator are called by display names; the sink decides who gets a call."""
    return graph(
        node("in", "AgentInput", name="Task"),
        node("boss", ORCHESTRATOR),
        node("search", EXECUTE_CODE, "Search the Web"),
        node("note", "AddToDictionary", dictionary={}),
        node("done", "AgentOutput", name="Done"),
        links="""
            in.result -> boss.prompt
            boss.tools_^_search_the_web_~_code -> search.code
            boss.tools_^_add_to_dictionary_~_key -> note.key
            boss.tools_^_add_to_dictionary_~_value -> note.value
            search.stdout_logs -> boss.last_tool_output
            note.updated_dictionary -> boss.last_tool_output
            boss.conversations -> boss.conversation_history
            boss.finished -> done.value
        """,
        id="orchestrated",
    )


def test_an_orchestrator_calls_its_tools_by_sink() -> None:
    found = run_whole(
        orchestrated(),
        {
            "boss": [
                [["tools_^_search_~_code", "cats"], ["conversations", ["asked"]]],
                [
                    ["tools_^_note_~_key", "k"],
                    ["tools_^_note_~_value", "v"],
                    ["conversations", ["asked", "noted"]],
                ],
                [["finished", "all done"]],
            ],
            "search": {"stdout_logs": "nine lives"},
        },
        inputs={"Task": "find cats"},
    )
    assert (found.status, found.outputs) == (COMPLETED, {"Done": ["all done"]})
    assert found.ran == {"in": 1, "boss": 3, "search": 1, "note": 1, "done": 1}
    assert found.left == {}


def _child() -> Graph:
    return graph(
        node("word", "AgentInput", name="Search word?"),
        node("limit", "AgentNumberInput", name="limit", value=2),
        node("make", "FillTextTemplate", values={}, format="{{ w }} x {{ n }}"),
        node("out", "AgentOutput", name="Results!"),
        node("bad", "AgentOutput", name="Error"),
        links="""
            word.result -> make.values_#_w
            limit.result -> make.values_#_n
            make.output -> out.value
            make.error -> bad.value
        """,
        id="child",
        version=7,
    )


def _agent_node(child: Graph, name: str = "agent") -> Node:
    constants = agent(child)
    constants["input_schema"] = {
        "type": "object",
        "properties": {"Search word?": {}, "limit": {"default": 2}},
        "required": ["Search word?"],
    }
    constants["output_schema"] = {"type": "object", "properties": {"Results!": {}, "Error": {}}}
    return Node(id=name, block_id=AGENT_BLOCK_ID, input_default=constants)


@pytest.mark.parametrize("reassigned", [False, True])
def test_a_nested_agent_runs_per_item_with_pins_of_any_text(reassigned: bool) -> None:
    child = _child()
    nested = _agent_node(child)
    if reassigned:
        nested.input_default["graph_id"] = "an id from before the export"
    made = Graph(
        id="parent",
        nodes=[
            node("each", "StepThroughItems", items=["a", "b", "c"]),
            nested,
            node("out", "AgentOutput", name="Lines"),
        ],
        links=[
            Link(source_id="each", source_name="item", sink_id="agent", sink_name="Search word?"),
            Link(source_id="agent", source_name="Results!", sink_id="out", sink_name="value"),
        ],
        sub_graphs=[child],
    )
    found = run_whole(made)
    assert found.outputs == {"Lines": ["a x 2", "b x 2", "c x 2"]}
    assert found.ran == {"each": 1, "agent": 3, "out": 3}
    assert found.left == {}


def test_agents_within_agents_hand_values_up() -> None:
    inner = _child()
    middle = Graph(
        id="middle",
        nodes=[
            node("in", "AgentInput", name="x"),
            _agent_node(inner, "inner"),
            node("out", "AgentOutput", name="y"),
        ],
        links=[
            Link(source_id="in", source_name="result", sink_id="inner", sink_name="Search word?"),
            Link(source_id="inner", source_name="Results!", sink_id="out", sink_name="value"),
        ],
        sub_graphs=[inner],
    )
    outer = graph(
        node("in", "AgentInput", name="x"),
        Node(id="agent", block_id=AGENT_BLOCK_ID, input_default=agent(middle)),
        node("out", "AgentOutput", name="y"),
        links="""
            in.result -> agent.x
            agent.y -> out.value
        """,
        id="outer",
        sub_graphs=[middle, inner],
    )
    assert run_whole(outer, inputs={"x": "deep"}).outputs == {"y": ["deep x 2"]}


def reviewed() -> Graph:
    return graph(
        node("write", AI, prompt="a letter"),
        node("check", "HumanInTheLoop", name="Letter"),
        node("sent", "AgentOutput", name="Sent"),
        node("refused", "AgentOutput", name="Refused"),
        node("said", "AgentOutput", name="Said"),
        node("other", "AgentOutput", name="Draft"),
        links="""
            write.response -> check.data
            write.response -> other.value
            check.approved_data -> sent.value
            check.rejected_data -> refused.value
            check.review_message -> said.value
        """,
        id="reviewed",
    )


@pytest.mark.parametrize(
    ("approved", "data", "message", "outputs"),
    [
        (True, None, "", {"Sent": ["Dear"]}),
        (True, "Dear all", "shorter", {"Sent": ["Dear all"], "Said": ["shorter"]}),
        (False, None, "no", {"Refused": ["Dear"], "Said": ["no"]}),
    ],
)
def test_a_person_decides_while_the_rest_went_on(
    approved: bool, data: Any, message: str, outputs: dict[str, Any]
) -> None:
    async def test() -> None:
        async with World().open() as engine:
            parked = await run_in(engine, reviewed(), {"write": {"response": "Dear"}})
            assert (parked.status, parked.outputs) == (REVIEW, {"Draft": ["Dear"]})
            state = await engine.get_graph_execution(parked.id, USER)
            (number,) = state.reviews
            given = {} if data is None else {"data": data}
            await engine.review(USER, f"{parked.id}.{number}", approved, message=message, **given)
            await engine.wait(parked.id, PATIENCE)
            found = await outcome_of(engine, parked.id)
            assert (found.status, found.outputs) == (COMPLETED, {"Draft": ["Dear"], **outputs})
            assert found.ran["check"] == 1
            assert found.left == {}

    play(test())


def test_without_safe_mode_nobody_is_asked() -> None:
    found = run_whole(
        reviewed(),
        {"write": {"response": "Dear"}},
        settings=Settings(human_in_the_loop_safe_mode=False),
    )
    said = "Auto-approved (safe mode disabled)"
    assert (found.status, found.outputs) == (
        COMPLETED,
        {"Draft": ["Dear"], "Sent": ["Dear"], "Said": [said]},
    )


def test_masks_fill_pins_that_nothing_else_fills_and_win_over_constants() -> None:
    made = graph(
        node("sum", "Calculator", operation="Add", a=1),
        node("text", "FillTextTemplate", format="{{ a }}{{ b }}", values={"a": 1}),
        node("out", "AgentOutput", name="Out"),
        links="""
            sum.result -> text.values_#_b
            text.output -> out.value
        """,
        id="masked",
    )
    found = run_whole(made, nodes_input_masks={"sum": {"b": 2}, "text": {"format": "{{ b }}|{{ a }}"}})
    assert found.outputs == {"Out": ["3.0|1"]}


def test_inputs_of_every_kind_arrive_as_what_they_are() -> None:
    kinds = {
        "AgentInput": {"any": [1]},
        "AgentShortTextInput": "",
        "AgentLongTextInput": "long\ntext",
        "AgentNumberInput": 0,
        "AgentDateInput": "2024-02-29",
        "AgentTimeInput": "09:30",
        "AgentDropdownInput": "not an option",
        "AgentToggleInput": False,
        "AgentTableInput": [{"Column 1": 1}],
        "AgentFileInput": "data:text/plain,hello",
    }
    nodes = [node(f"in {kind}", kind, name=kind, placeholder_values=["a"]) for kind in kinds]
    nodes += [node(f"out {kind}", "AgentOutput", name=kind) for kind in kinds]
    links = "\n".join(f"in {kind}.result -> out {kind}.value" for kind in kinds)
    found = run_whole(graph(*nodes, links=links, id="kinds"), inputs=kinds)
    assert found.outputs == {kind: [value] for kind, value in kinds.items()}


def test_inputs_that_were_not_given_leave_what_needs_them_waiting() -> None:
    made = graph(
        node("given", "AgentInput", name="given", value="there"),
        node("flag", "AgentToggleInput", name="flag"),
        node("table", "AgentTableInput", name="table"),
        node("nothing", "AgentShortTextInput", name="nothing"),
        node("file", "AgentFileInput", name="file"),
        node("join", "CreateDictionary", values={}),
        node("out", "AgentOutput", name="Out"),
        links="""
            given.result -> out.value
            flag.result -> out.value
            table.result -> out.value
            given.result -> join.values_#_a
            nothing.result -> join.values_#_b
            file.result -> join.values_#_c
        """,
        id="not given",
    )
    found = run_whole(made)
    assert (found.status, sorted(map(repr, found.outputs["Out"]))) == (COMPLETED, ["'there'", "False", "[]"])
    assert found.left == {"join": [{"values_#_a": "there"}]}


def test_notes_never_run_and_take_nothing() -> None:
    made = graph(
        node("note", "Note", text="read me"),
        node("linked", "Note", text=""),
        node("in", "AgentInput", name="x"),
        node("out", "AgentOutput", name="y"),
        links="""
            in.result -> linked.text
            in.result -> out.value
        """,
        id="notes",
    )
    found = run_whole(made, inputs={"x": 1})
    assert (found.outputs, found.ran, found.left) == ({"y": [1]}, {"in": 1, "out": 1}, {})


def test_what_an_agent_remembers_the_next_run_finds() -> None:
    made = graph(
        node("in", "AgentInput", name="x"),
        node("recall", "RetrieveInformation", key="last", default_value="never"),
        node("pair", "CreateDictionary", values={}),
        node("new", "FindInDictionary", key="new"),
        node("keep", "PersistInformation", key="last"),
        node("before", "AgentOutput", name="Before"),
        node("now", "AgentOutput", name="Now"),
        links="""
            recall.value -> before.value
            recall.value -> pair.values_#_old
            in.result -> pair.values_#_new
            pair.dictionary -> new.input
            new.output -> keep.value
            keep.value -> now.value
        """,
        id="remembering",
    )

    async def test() -> None:
        async with World().open() as engine:
            first = await run_in(engine, made, inputs={"x": "one"})
            second = await run_in(engine, made, inputs={"x": {"two": 2}})
            assert first.outputs == {"Before": ["never"], "Now": ["one"]}
            assert second.outputs == {"Before": ["one"], "Now": [{"two": 2}]}

    play(test())


def test_a_loop_that_shrinks_its_own_list_ends_by_its_failure() -> None:
    made = graph(
        node("seed", "CreateList", values=[1, 2, 3]),
        node("drop", "RemoveFromList", index=0, return_item=True),
        node("out", "AgentOutput", name="Item"),
        node("end", "AgentOutput", name="End"),
        links="""
            seed.list -> drop.list
            drop.updated_list -> drop.list
            drop.removed_item -> out.value
            drop.error -> end.value
        """,
        id="shrinking",
    )
    found = run_whole(made)
    assert found.outputs == {"Item": [1, 2, 3], "End": ["Index or value not found"]}
    assert found.ran == {"seed": 1, "drop": 4, "out": 3, "end": 1}


def test_a_static_value_fills_those_that_wait_and_those_that_come() -> None:
    made = graph(
        node("each", "StepThroughItems", items=[1, 2, 3]),
        node("late", AI, prompt="how many?"),
        node("factor", "StoreValue"),
        node("times", "Calculator", operation="Multiply"),
        node("out", "AgentOutput", name="Out"),
        links="""
            each.item -> times.a
            late.response -> factor.input
            factor.output -> times.b
            times.result -> out.value
        """,
        id="static",
    )
    found = run_whole(made, {"late": {"response": "10"}})
    assert found.outputs == {"Out": [10.0, 20.0, 30.0]}
    assert found.ran == {"each": 1, "late": 1, "factor": 1, "times": 3, "out": 3}
    assert found.left == {}


def test_a_link_to_a_pin_of_long_ago_is_refused_by_name() -> None:
    made = graph(
        node("in", "AgentInput", name="x"),
        node("line", "CombineTexts", input=[]),
        links="in.result -> line.input1",
        id="old",
    )

    async def test() -> None:
        async with World().open() as engine:
            with pytest.raises(ValueError, match=r"`input1` invalid, Allowed fields: delimiter, input"):
                await begin(engine, made, inputs={"x": 1})

    play(test())
