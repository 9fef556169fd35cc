"""Pictures of graphs: in boxes and in Mermaid."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._picture import BoxText, draw, flow_order, mermaid
from actbook.cli._picture._canvas import clip, width_of
from actbook.cli._picture._columns import spread
from actbook.cli._picture._order import backward, edges_of
from actbook.graphs import Graph, Link, Node


def plain(names: str, *edges: str) -> Graph:
    """Nodes by letter, edges as `ab`."""
    links = [Link(source_id=e[0], source_name="o", sink_id=e[1], sink_name="i", id=e) for e in edges]
    return Graph(id="g", nodes=[Node(id=name, block_id="b") for name in names], links=links)


def drawn(graph: Graph, width: int = 80, labels: dict[str, str] | None = None) -> str:
    boxes = {node.id: BoxText((labels or {}).get(node.id, node.id)) for node in graph.nodes}
    return "\n".join("".join(text for text, _ in row) for row in draw(graph, boxes, width))


PICTURES = {
    "line": (
        plain("ab", "ab"),
        """
        ┌───┐
        │ a │
        └─┬─┘
          │
        ┌─▼─┐
        │ b │
        └───┘
        """,
    ),
    "diamond": (
        plain("abcd", "ab", "ac", "bd", "cd"),
        """
           ┌───┐
           │ a │
           └─┬─┘
           ╭─┴──╮
        ┌──▼┐  ┌▼──┐
        │ b │  │ c │
        └──┬┘  └┬──┘
           ╰╮ ╭─╯
           ┌▼─▼┐
           │ d │
           └───┘
        """,
    ),
    "loop": (
        plain("abc", "ab", "bc", "cb"),
        """
        ┌───┐
        │ a │
        └─┬─┘
          │
        ┌─▼─┐
        │ b │
        └┬─▲┘
         │ ┆
        ┌▼─┴┐
        │ c │
        └───┘
        """,
    ),
    "itself": (
        plain("a", "aa"),
        """
        ┌─────┐
        │ a ↺ │
        └─────┘
        """,
    ),
}


def shape(text: str) -> str:
    """Without the common indentation and empty lines around."""
    return dedent(text).strip("\n")


@pytest.mark.parametrize("name", PICTURES)
def test_small_graphs(name: str) -> None:
    graph, picture = PICTURES[name]
    assert shape(drawn(graph)) == shape(picture)


def test_nothing_is_drawn_of_nothing() -> None:
    assert drawn(plain("")) == ""


def test_a_wide_layer_is_broken_to_fit() -> None:
    names = "abcdefghij"
    graph = plain(names + "z", *(f"{name}z" for name in names))
    labels = dict.fromkeys(names, "a label of some length")
    rows = drawn(graph, 80, labels).splitlines()
    assert max(map(len, rows)) <= 80
    assert sum(row.count("a label of some length") for row in rows) == 10


def test_long_and_wide_texts_keep_the_frame() -> None:
    graph = plain("ab", "ab")
    rows = drawn(
        graph, 80, {"a": "日本語のとても長い名前がここにあります", "b": "x\u0301\x1b[31m\n y"}
    ).splitlines()
    assert len({width_of(row.rstrip()) for row in rows[:3]}) == 1
    assert "\x1b" not in "".join(rows)


LETTERS = "abcdefghijkl"
EDGES = st.lists(st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)), max_size=24, unique=True)


@settings(deadline=None, max_examples=40)
@given(EDGES, st.sampled_from([40, 80, 120]))
def test_every_node_and_every_link_is_in_the_picture(edges: list[tuple[str, str]], width: int) -> None:
    graph = plain(LETTERS, *("".join(edge) for edge in edges))
    labels = {name: f"node {name} " + "=" * 16 for name in LETTERS}
    picture = drawn(graph, width, labels)
    for name in LETTERS:
        assert picture.count(f"│ node {name} ==") == 1
    pairs = edges_of(graph)
    against = backward([node.id for node in graph.nodes], pairs)
    assert picture.count("▼") == len(pairs) - len(against)
    assert picture.count("▲") == len(against)
    for row in picture.splitlines():
        assert row == row.rstrip()


@given(EDGES)
def test_the_flow_leads_forward_but_for_what_closes_a_cycle(edges: list[tuple[str, str]]) -> None:
    graph = plain(LETTERS, *("".join(edge) for edge in edges))
    order = flow_order(graph)
    assert sorted(order) == sorted(LETTERS)
    against = backward([node.id for node in graph.nodes], edges_of(graph))
    for source, sink in edges_of(graph):
        assert (order.index(source) > order.index(sink)) == ((source, sink) in against)


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 5), st.integers(1, 9)), max_size=8))
def test_places_keep_their_distance(wanted: list[tuple[float, float, int]]) -> None:
    steps = [step for _, _, step in wanted]
    places = spread([value for value, _, _ in wanted], [weight for _, weight, _ in wanted], steps)
    assert all(b - a >= step for a, b, step in zip(places, places[1:], steps, strict=False))


@given(st.text(), st.integers(1, 30))
def test_a_clipped_text_is_never_too_wide(text: str, columns: int) -> None:
    assert width_of(clip(text, columns)) <= columns


def test_mermaid_names_pins_statuses_and_escapes() -> None:
    graph = plain("abc", "ab", "bc")
    graph.links[1].is_static = True
    text = mermaid(
        graph, {"a": 'say "hi" <b>', "b": "B", "c": "C"}, {"a": "round", "b": "double"}, {"b": "FAILED"}
    )
    assert text.splitlines() == [
        "flowchart TD",
        '    n1(["say #34;hi#34; #60;b#62;"])',
        '    n2[["B"]]',
        '    n3["C"]',
        '    n1 -->|"o → i"| n2',
        '    n2 -.->|"o → i"| n3',
        "    classDef FAILED fill:#ffebee,stroke:#c62828,stroke-width:2px",
        "    class n2 FAILED",
    ]


def test_the_picture_of_a_file(shell: Shell) -> None:
    out = shell("graph", shell.graph(graphs.adder()), "--links").out
    assert "Adder  v1 · 3 nodes, 2 links" in out
    for frame in ("│ Input │", "│ Calculator │", "│ Output │"):
        assert frame in out
    assert "╭" in out
    assert "Input.result → Calculator.a  (static)" in out


def test_the_picture_of_an_execution_shows_its_states(shell: Shell) -> None:
    failed = shell.run(graphs.failing(), "--input", "Index=9")
    out = shell("graph", failed["id"][:8]).out
    assert "│ ✗ Get List Item │" in out
    assert "│ ✓ Input: Index │" in out
    assert "class n2 FAILED" in shell("graph", failed["id"], "-o", "mermaid").out
    assert "✓" not in shell("graph", "failing").out


def test_the_json_of_a_graph_keeps_what_it_does_not_know(shell: Shell) -> None:
    graph: dict[str, Any] = graphs.adder() | {"unknown": {"a": [1, None]}}
    assert json.loads(shell("graph", shell.graph(graph), "-o", "json").out)["unknown"] == {"a": [1, None]}
    assert shell("graph", "adder.json", "-o", "ids").ids == ["in", "add", "out"]


def test_error_links_that_meet_are_told_and_not_drawn(shell: Shell) -> None:
    nodes = [graphs.node("in", "AgentInputBlock", name="List")]
    nodes += [graphs.node(f"get{n}", "GetListItemBlock", f"Get {n}", index=n) for n in range(3)]
    nodes += [graphs.node("err", "AgentOutputBlock", name="Error")]
    links = [graphs.link("in.result", f"get{n}.list") for n in range(3)]
    links += [graphs.link(f"get{n}.error", "err.value") for n in range(3)]
    out = shell("graph", shell.graph(graphs.document("errors", nodes, links))).out
    assert "│ Get 1 ! │" in out
    assert "! its error goes to Output: Error" in out
    assert out.count("▼") == 3


def test_notes_are_left_out_and_sub_graphs_follow(shell: Shell) -> None:
    out = shell("graph", str(graphs.EXAMPLES / "greeting.json")).out
    assert "║ Agent: Greeting line ║" in out
    assert "sub-graph: Greeting line" in out
    noted = graphs.adder()
    noted["nodes"].append(graphs.node("note", "NoteBlock", text="remember"))
    assert "Note" not in shell("graph", shell.graph(noted)).out
