"""Graph documents for the tests, and the folder of the examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actbook.blocks.standard import standard_id

EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"

AI_TEXT = "1f292d4a-41a4-4977-9684-7c8d560b9f91"


def node(node_id: str, block: str, label: str = "", /, **constants: Any) -> dict[str, Any]:
    """A node of a standard block, or of any block by id."""
    block_id = block if "-" in block else standard_id(block)
    metadata = {"customized_name": label} if label else {}
    return {"id": node_id, "block_id": block_id, "input_default": constants, "metadata": metadata}


def link(source: str, sink: str, is_static: bool = False) -> dict[str, Any]:
    """`a.pin` to `b.pin`."""
    (source_id, source_name), (sink_id, sink_name) = source.split(".", 1), sink.split(".", 1)
    ends = {"source_id": source_id, "source_name": source_name, "sink_id": sink_id, "sink_name": sink_name}
    return {"id": f"{source}>{sink}", "is_static": is_static, **ends}


def document(graph_id: str, nodes: list[dict[str, Any]], links: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": graph_id, "version": 1, "name": graph_id.title(), "nodes": nodes, "links": links}


def adder() -> dict[str, Any]:
    """Input + 34 → Output."""
    nodes = [
        node("in", "AgentInputBlock", name="Input"),
        node("add", "CalculatorBlock", operation="Add", b=34),
        node("out", "AgentOutputBlock", name="Output"),
    ]
    return document("adder", nodes, [link("in.result", "add.a", True), link("add.result", "out.value")])


def timer(seconds: float) -> dict[str, Any]:
    """Says "begun" at once and "over" after so many seconds."""
    nodes = [
        node("begin", "StoreValueBlock", input="begun"),
        node("wait", "CountdownTimerBlock", seconds=seconds),
        node("out", "AgentOutputBlock", name="Output"),
    ]
    links = [link("begin.output", "wait.input_message"), link("wait.output_message", "out.value")]
    return document("timer", nodes, links)


def review() -> dict[str, Any]:
    """Amount, judged by a person."""
    nodes = [
        node("in", "AgentNumberInputBlock", name="Amount"),
        node("ask", "HumanInTheLoopBlock", name="Refund"),
        node("yes", "AgentOutputBlock", name="Paid"),
        node("no", "AgentOutputBlock", name="Refused"),
    ]
    links = [
        link("in.result", "ask.data"),
        link("ask.approved_data", "yes.value"),
        link("ask.rejected_data", "no.value"),
    ]
    return document("review", nodes, links)


def failing() -> dict[str, Any]:
    """A node that fails, and its error as an output."""
    nodes = [
        node("in", "AgentInputBlock", name="Index"),
        node("get", "GetListItemBlock", list=[1, 2]),
        node("out", "AgentOutputBlock", name="Error"),
    ]
    return document("failing", nodes, [link("in.result", "get.index"), link("get.error", "out.value")])


def outside() -> dict[str, Any]:
    """Needs a block that is not installed."""
    nodes = [
        node("in", "AgentInputBlock", name="Question"),
        node("ai", AI_TEXT),
        node("out", "AgentOutputBlock", name="Answer"),
    ]
    return document("outside", nodes, [link("in.result", "ai.prompt"), link("ai.response", "out.value")])


def write(folder: Path, graph: dict[str, Any]) -> str:
    """The path of the graph's file."""
    path = folder / f"{graph['id']}.json"
    path.write_text(json.dumps(graph), encoding="utf-8")
    return str(path)
