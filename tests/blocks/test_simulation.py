"""Stand-ins for blocks that are not installed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.blocks.graph_building import (
    AI,
    AI_LIST,
    EXECUTE_CODE,
    MAPS,
    ORCHESTRATOR,
    UNKNOWN,
    WEB_REQUEST,
    graph,
    node,
)

from actbook.blocks import (
    SimulatedBlock,
    SimulationScriptError,
    default_registry,
    occurrence_for_run,
    simulated_lookup,
)
from actbook.blocks._outside_blocks import OUTSIDE_BLOCKS
from actbook.blocks.standard.dictionaries import FindInDictionaryBlock
from actbook.blocks.standard.patterns import ExtractTextInformationBlock
from actbook.blocks.standard.xml_texts import XMLParserBlock
from actbook.blocks.testing import BlockInputError, outputs_of, run_block
from actbook.graphs import ExecutionContext, Graph, validate_structure

LOOKUP = default_registry().lookup


def _stand_in(made: Graph, block_id: str, script: dict[str, Any] | None = None) -> SimulatedBlock:
    found = simulated_lookup(LOOKUP, made, script)(block_id)
    assert isinstance(found, SimulatedBlock)
    return found


def _run(made: Graph, name: str, data: dict[str, Any], script: dict[str, Any] | None = None) -> Any:
    stand_in = _stand_in(made, made.node(name).block_id, script)
    return run_block(stand_in, data, ExecutionContext(node_id=name, node_exec_id="x.1"))


def _asked(*links: str) -> Graph:
    return graph(
        node("ai", AI, "Writer", prompt="?"),
        node("out", "AgentOutput", name="Answer"),
        node("bad", "AgentOutput", name="Error"),
        links="\n".join(links or ("ai.response -> out.value", "ai.error -> bad.value")),
    )


def test_installed_blocks_are_left_alone() -> None:
    find = simulated_lookup(LOOKUP, _asked())
    assert find("363ae599-353e-4804-937e-b2ee3cef3da4") is LOOKUP("363ae599-353e-4804-937e-b2ee3cef3da4")
    assert find(UNKNOWN) is None


def test_a_known_outside_block_has_its_name_and_required_pins() -> None:
    stand_in = _stand_in(_asked(), AI)
    assert stand_in.name == "AITextGeneratorBlock (simulated)"
    assert stand_in.input_schema.required == {"prompt"}
    assert set(stand_in.output_schema.names) == {"response", "error"}
    assert not stand_in.effects
    with pytest.raises(BlockInputError, match="prompt"):
        run_block(stand_in, {})


@pytest.mark.parametrize("title", ["My tool", ""])
def test_an_unknown_block_is_made_of_the_pins_that_are_used(title: str) -> None:
    made = graph(
        node("a", "StoreValue"),
        node("x", UNKNOWN, title, option=1, credentials={"id": "secret"}),
        node("out", "AgentOutput", name="o"),
        links="""
            a.output -> x.to_$_0
            a.output -> x.Any Text!
            x.result_#_status -> out.value
        """,
    )
    stand_in = _stand_in(made, UNKNOWN)
    assert stand_in.name == (f"{title} (simulated)" if title else "Block 0a2b1f43 (simulated)")
    assert set(stand_in.input_schema.names) == {"to", "Any Text!", "option"}
    assert stand_in.input_schema.required == set()
    assert set(stand_in.output_schema.names) == {"result", "error"}
    [(pin, value)] = _run(made, "x", {"to_$_0": "a"})
    assert (pin, list(value)) == ("result", ["status"])


def test_a_graph_of_stand_ins_is_structurally_valid() -> None:
    made = _asked()
    assert validate_structure(made, simulated_lookup(LOOKUP, made)) == {}


def test_the_value_is_visibly_made_up_and_depends_only_on_node_and_input() -> None:
    [(pin, text)] = _run(_asked(), "ai", {"prompt": "hello"})
    assert pin == "response"
    assert text.startswith("Simulated response of Writer [")
    assert _run(_asked(), "ai", {"prompt": "hello"}) == [(pin, text)]
    assert _run(_asked(), "ai", {"prompt": "hi"}) != [(pin, text)]


def test_xml_is_made_for_the_tags_that_are_looked_up() -> None:
    made = graph(
        node("ai", AI, prompt="?"),
        node("xml", "XMLParser"),
        node("all", "FindInDictionary", key="stories"),
        node("each", "StepThroughItems"),
        node("one", "FindInDictionary", key="story"),
        node("title", "FindInDictionary", key="title"),
        links="""
            ai.response -> xml.input_xml
            xml.parsed_xml -> all.input
            xml.parsed_xml -> title.input
            all.output -> each.items
            each.item -> one.input
        """,
    )
    [(_, text)] = _run(made, "ai", {"prompt": "p"})
    [(_, parsed)] = run_block(XMLParserBlock, {"input_xml": text})
    assert parsed["title"].startswith("Simulated response of AITextGenerator/title [")
    [(pin, stories)] = run_block(FindInDictionaryBlock, {"input": parsed, "key": "stories"})
    assert (pin, len(stories)) == ("output", 2)
    for story in stories:
        assert run_block(FindInDictionaryBlock, {"input": story, "key": "story"})[0][0] == "output"


def test_an_extracted_tag_is_found() -> None:
    pattern = r"<email>(.*?)<\/email>"
    made = graph(
        node("ai", AI, prompt="?"),
        node("get", "ExtractTextInformation", pattern=pattern, group=1),
        links="ai.response -> get.text",
    )
    [(_, text)] = _run(made, "ai", {"prompt": "p"})
    found = outputs_of(ExtractTextInformationBlock, {"text": text, "pattern": pattern, "group": 1})
    assert found["positive"][0].startswith("Simulated")


def test_a_list_generator_yields_its_list_and_each_item() -> None:
    made = graph(
        node("ai", AI_LIST),
        node("count", "CountItems"),
        node("add", "AddToList"),
        links="""
            ai.generated_list -> count.collection
            ai.list_item -> add.entry
        """,
    )
    outputs = _run(made, "ai", {})
    assert [pin for pin, _ in outputs] == ["generated_list", "list_item", "list_item"]
    assert len(outputs[0][1]) == 2


@pytest.mark.parametrize(
    ("block_id", "data", "linked", "yielded"),
    [
        (EXECUTE_CODE, {}, "response stdout_logs stderr_logs", ["stdout_logs"]),
        (EXECUTE_CODE, {}, "response stderr_logs", ["response"]),
        (WEB_REQUEST, {"url": "u"}, "client_error response server_error error", ["response"]),
        (WEB_REQUEST, {"url": "u"}, "client_error", []),
        (ORCHESTRATOR, {"prompt": "p"}, "tools_^_search_~_q conversations finished", ["finished"]),
        (ORCHESTRATOR, {"prompt": "p"}, "tools_^_search_~_q conversations", []),
        (MAPS, {"query": "q"}, "place", ["place", "place"]),
        (UNKNOWN, {}, "api_error result", ["result"]),
        (UNKNOWN, {}, "", []),
    ],
)
def test_alternatives_that_make_no_sense_together(
    block_id: str, data: dict[str, Any], linked: str, yielded: list[str]
) -> None:
    links = "\n".join(f"x.{pin} -> out.value" for pin in linked.split())
    made = graph(node("x", block_id), node("out", "AgentOutput", name="o"), links=links)
    assert [pin for pin, _ in _run(made, "x", data)] == yielded


def test_an_orchestrator_does_not_wait_for_what_only_it_sets_going() -> None:
    made = graph(node("x", ORCHESTRATOR), links="")
    assert _stand_in(made, ORCHESTRATOR).feedback_links == {"conversation_history", "last_tool_output"}
    assert _stand_in(_asked(), AI).feedback_links == frozenset()


@pytest.mark.parametrize("block_id", OUTSIDE_BLOCKS)
def test_every_known_outside_block_runs(block_id: str) -> None:
    known = OUTSIDE_BLOCKS[block_id]
    links = "\n".join(f"x.{pin} -> out.value" for pin in known.outputs)
    made = graph(node("x", block_id), node("out", "AgentOutput", name="o"), links=links)
    data = dict.fromkeys(known.required, "given")
    outputs = _run(made, "x", data)
    assert [pin for pin, _ in outputs] or not known.outputs
    assert outputs == _run(made, "x", data)
    assert known.name.endswith("Block")


def test_urls_lead_nowhere() -> None:
    made = graph(
        node("x", "6ab085e2-20b3-4055-bc3e-08036e01eca6"),
        node("out", "AgentOutput", name="o"),
        links="x.result -> out.value",
    )
    assert _run(made, "x", {"prompt": "p"})[0][1].startswith("https://simulated.invalid/")


@pytest.mark.parametrize(
    "key", ["ai", AI, "AITextGeneratorBlock", "AITextGenerator", "AITextGeneratorBlock (simulated)"]
)
def test_a_script_names_a_node_or_a_block(key: str) -> None:
    script = {key: {"response": "scripted"}}
    assert _run(_asked(), "ai", {"prompt": "p"}, script) == [("response", "scripted")]


def test_a_nodes_own_entry_goes_first() -> None:
    script = {AI: {"response": "block"}, "ai": {"response": "node"}}
    assert _run(_asked(), "ai", {"prompt": "p"}, script) == [("response", "node")]


def test_a_scripted_error_fails_the_node() -> None:
    script = {"ai": [[["response", "half"], ["error", "down"], ["response", "never"]]]}
    assert _run(_asked(), "ai", {"prompt": "p"}, script) == [("response", "half"), ("error", "down")]


def test_runs_follow_the_occurrence_and_the_last_repeats() -> None:
    stand_in = _stand_in(_asked(), AI, {"ai": [{"response": n} for n in range(3)]})
    assert [stand_in.outputs("ai", n, {})[0][1] for n in range(5)] == [0, 1, 2, 2, 2]


def test_without_an_engine_runs_are_counted_per_graph_execution() -> None:
    stand_in = _stand_in(_asked(), AI, {"ai": [{"response": n} for n in range(9)]})

    def run(execution: str, number: int) -> Any:
        context = ExecutionContext(
            graph_exec_id=execution, node_id="ai", node_exec_id=f"{execution}.{number}"
        )
        return run_block(stand_in, {"prompt": "p"}, context)[0][1]

    assert [run("a", 1), run("a", 5), run("a", 1), run("b", 1), run("a", 9)] == [0, 1, 0, 0, 2]


def test_the_engine_says_which_occurrence_it_is() -> None:
    script = {"ai": [{"response": n} for n in range(9)]}
    token = occurrence_for_run.set(7)
    try:
        assert _run(_asked(), "ai", {"prompt": "p"}, script) == [("response", 7)]
    finally:
        occurrence_for_run.reset(token)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ({"nobody": {"a": 1}}, "'nobody': no simulated block or node of the graph is called so"),
        ({"AgentOutputBlock": {"output": 1}}, "AITextGeneratorBlock (simulated)"),
        ({"ai": {"respons": 1}}, "'ai', run 1: no pin `respons` is used; there are ['error', 'response']"),
        ({"ai": []}, "'ai': it must be a list of runs"),
    ],
)
def test_a_wrong_script_is_refused_at_once(script: dict[str, Any], text: str) -> None:
    with pytest.raises(SimulationScriptError) as caught:
        simulated_lookup(LOOKUP, _asked(), script)
    assert text in str(caught.value)


def test_sub_graphs_are_simulated_too() -> None:
    parent = Graph(sub_graphs=[_asked()])
    found = simulated_lookup(LOOKUP, parent, {"ai": {"response": 1}})(AI)
    assert isinstance(found, SimulatedBlock)
    assert found.outputs("ai", 0, {}) == [("response", 1)]


def test_a_graph_listed_twice_counts_once() -> None:
    child = _asked()
    find = simulated_lookup(LOOKUP, [Graph(sub_graphs=[child]), child], {"ai": {"response": 1}})
    assert isinstance(find(AI), SimulatedBlock)


def test_run_outside_a_graph_it_yields_text_on_its_pins() -> None:
    outputs = run_block(_stand_in(_asked(), AI), {"prompt": "p"}, ExecutionContext(node_id="elsewhere"))
    assert outputs[0][1].startswith("Simulated response of AITextGenerator [")
