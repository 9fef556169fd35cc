"""The report as a document: complete in itself, harmless whatever was recorded, and true."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import World, finish, play, pure
from tests.replay.exported import HOSTILE, recorded, world

from actbook.graphs import Graph
from actbook.journal import Fault, SQLiteStore
from actbook.replay import History
from actbook.replay._report._steps import Steps
from actbook.replay.export import report


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SQLiteStore, list[str]]]:
    store, executions = recorded(tmp_path_factory.mktemp("source"))
    yield store, executions
    store.close()


@pytest.fixture(scope="module")
def history(source: tuple[SQLiteStore, list[str]]) -> History:
    return History(source[0].read_stream(source[1][0]))


@pytest.fixture(scope="module")
def page(history: History) -> str:
    return report(history, world()[1])


class Elements(HTMLParser):
    """The elements of a page with their attributes and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:
            self.raw.append(data)


def data_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    return found


def test_it_asks_nothing_of_anybody(page: str) -> None:
    tags = Elements(page).tags
    assert not [
        tag
        for tag, _ in tags
        if tag in ("img", "iframe", "object", "embed", "base", "form", "audio", "video")
    ]
    assert [attributes["href"] for tag, attributes in tags if tag == "link"] == ["data:,"]
    assert not [attributes for _, attributes in tags if "src" in attributes]
    assert not re.search(r"\b(eval|Function|fetch|XMLHttpRequest|WebSocket|innerHTML|import)\b\s*\(", page)
    assert not re.search(r"url\((?!#)", page)


def test_only_its_own_script_and_style_are_allowed(page: str) -> None:
    elements = Elements(page)
    (policy,) = [
        a["content"] or "" for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert (len(scripts), len(styles)) == (1, 1)
    for text in (*scripts, *styles):
        assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy


def test_hostile_names_and_values_are_text(page: str, history: History) -> None:
    tags = Elements(page).tags
    assert [tag for tag, _ in tags].count("script") == 2
    assert not [attributes for _, attributes in tags if any(name.startswith("on") for name in attributes)]
    assert "onerror=alert" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "").replace(
        "\\u003cimg src=x onerror=alert(1)\\u003e", ""
    )
    assert data_of(page)["inputs"] == {"x": HOSTILE}


def test_placeholders_in_what_was_recorded_stay_what_they_are() -> None:
    made = World(Echo=pure())
    graph = made.graph("x:Input y:Output", "x.result > y.value")
    graph.name = "{{script}} {{data}}"

    async def run() -> History:
        async with made.open() as engine:
            history: History = await engine.history(
                (await finish(engine, graph, inputs={"x": "{{data}}"})).id
            )
            return history

    history: History = play(run())
    text = report(history, graph)
    assert "<h1>{{script}} {{data}}</h1>" in text
    assert data_of(text)["inputs"] == {"x": "{{data}}"}


def test_it_holds_every_event_and_node_execution(page: str, history: History) -> None:
    data, state = data_of(page), history.state()
    assert [event[0] for event in data["events"]] == [event.version for event in history.events]
    assert [node[2] for node in data["nodes"]] == [
        str(node.status) for node in state.node_executions.values()
    ]
    assert dict(data["facts"])["Execution"] == state.id


def test_the_moves_lead_to_the_state_at_every_event(history: History) -> None:
    statuses: dict[int, str] = {}
    for step in Steps(history.events):
        statuses.update({number: str(status) for number, status in step.moves})
        state = history.state(step.event.version)
        there = {number: str(node.status) for number, node in state.node_executions.items()}
        assert statuses == {0: str(state.status), **there}


def test_the_changes_name_what_an_event_did(history: History) -> None:
    found = {step.event.topic: step.changes for step in Steps(history.events)}
    assert ("status", "RUNNING", "COMPLETED") in found["execution.completed"]
    failed = {path: after for path, _, after in found["node.failed"]}
    assert [after for path, after in failed.items() if path.endswith(".error")] == [
        'the <shop> is closed & "dark"'
    ]
    assert [after for path, after in failed.items() if path.endswith(".status")] == ["FAILED"]


def test_big_values_are_cut_visibly(source: tuple[SQLiteStore, list[str]]) -> None:
    text = report(History(source[0].read_stream(source[1][1])), world()[1])
    assert len(text) < 200_000
    assert "(160000 characters)" in text or "text of 160000 characters" in text


def test_what_verification_finds_is_told(history: History) -> None:
    fault = Fault(history.events[0].stream_id, 3, 3, "edited", "the <hash> does not match")
    text = report(History(history.events, [fault]), world()[1])
    assert "1 found by verification" in text
    assert data_of(text)["checked"]["faults"] == ["version 3, edited: the <hash> does not match"]


def test_a_history_that_does_not_fit_is_shown_up_to_there(history: History) -> None:
    text = report(History([*history.events[:6], history.events[1]]), world()[1])
    assert len(data_of(text)["events"]) <= 7
    assert "found by verification" in text


@pytest.mark.parametrize("events", [0, 1])
def test_next_to_nothing_is_a_page_too(history: History, events: int) -> None:
    assert "</html>" in report(History(history.events[:events]))


def test_two_thousand_nodes_make_a_page_of_a_few_megabytes(tmp_path: Path) -> None:
    history, graph = wide(2_000)
    text = report(history, graph)
    assert len(data_of(text)["nodes"]) == 2_001
    assert len(text) < 6_000_000


def wide(nodes: int) -> tuple[History, Graph]:
    """An execution of a tree of so many nodes."""
    made = World(Echo=pure())
    links = [f"n{(number - 1) // 3}.out > n{number}.value" for number in range(1, nodes)]
    names = " ".join(f"n{number}:Echo" for number in range(nodes))
    graph = made.graph(f"x:Input {names}", "x.result > n0.value", *links)

    async def run() -> History:
        async with made.open() as engine:
            history: History = await engine.history((await finish(engine, graph, inputs={"x": 1})).id)
            return history

    history: History = play(run())
    return history, graph
