"""`timeline`, `diff` of two executions, and `rerun`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.blocks import default_registry
from actbook.cli._exit_codes import ExitCode
from actbook.cli._gantt import bar
from actbook.events import ExecutionStatus
from actbook.replay import Span


def ran(shell: Shell, value: int) -> str:
    return str(shell.run(graphs.adder(), "--input", f"Input={value}")["id"])


def test_a_timeline_is_a_table_an_object_and_the_critical_path(shell: Shell) -> None:
    execution = ran(shell, 8)
    answer = shell("timeline", execution[:8], "-o", "json").json
    nodes = answer["node_executions"]
    assert answer["id"] == execution
    assert answer["critical_path"][-1] == nodes[-1]["number"]
    assert all(node["wait"] >= 0 and node["run"] >= 0 and node["ended_at"] for node in nodes)
    assert nodes[0]["after"] is None
    ids = shell("timeline", "-", "-o", "ids", stdin=execution).ids
    assert ids == [f"{execution}.{number}" for number in answer["critical_path"]]
    people = shell("timeline", execution).out
    assert len(people.splitlines()) == 2 + len(nodes)
    assert "█" in people
    assert "--limit" in shell("timeline", execution, "--limit", "1").err


def test_two_executions_are_compared_node_by_node(shell: Shell) -> None:
    one, two = ran(shell, 8), ran(shell, 9)
    answer = shell("diff", one, two, "-o", "json").json
    changes = {tuple(change["path"]): change for change in answer["changes"]}
    assert changes["inputs", "Input"] == {"path": ["inputs", "Input"], "before": 8, "after": 9}
    assert all(node["a"] and node["b"] for node in answer["nodes"])
    assert "inputs.Input  - 8  + 9" in shell("diff", one, two).out
    assert "inputs.Input" in shell("diff", one, two, "-o", "ids").ids
    same = shell("diff", one, one)
    assert (same.code, same.err) == (ExitCode.OK, "Nothing differs but times.\n")
    assert shell("diff", one, "nobody").code == ExitCode.NOT_FOUND


@given(
    st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.booleans()
)
def test_a_bar_stays_on_its_scale(first: int, wait: int, run: int, rest: int, over: bool) -> None:
    started, ended = first + wait, first + wait + run
    span = Span(1, "n", ExecutionStatus.COMPLETED, first, started, ended if over else 0, 0, 1, "")
    text = bar(span, 1, ended + rest)
    assert 1 <= len(text) <= 40
    assert set(text) <= {" ", "░", "█"}
    assert text.endswith("█")


def test_blocks_without_effects_are_run_again_and_yield_what_is_recorded(shell: Shell) -> None:
    execution = ran(shell, 8)
    answer = shell("rerun", execution[:8], "-o", "json")
    assert answer.code == ExitCode.OK
    nodes = answer.json["node_executions"]
    assert (answer.json["different"], answer.json["matched"] > 0) == (0, True)
    assert answer.json["matched"] + answer.json["skipped"] == len(nodes)
    assert all(node["recorded"] == node["yielded"] for node in nodes if node["verdict"] == "matched")
    assert shell("rerun", "-", "-o", "ids", stdin=execution).out == ""
    people = shell("rerun", execution, "--limit", "1")
    assert "matched" in people.out
    assert "--limit" in people.err
    assert shell("rerun", "nobody").code == ExitCode.NOT_FOUND


def test_what_yields_something_else_than_is_recorded_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = ran(shell, 8)

    def run(self: object, input: object, context: object) -> Iterator[tuple[str, object]]:
        yield "output", "something else"

    [node] = [
        each
        for each in shell("rerun", execution, "-o", "json").json["node_executions"]
        if each["verdict"] == "matched"
    ][-1:]
    state = shell("replay", execution, "-o", "json").json
    [block_id] = [each["block_id"] for each in state["node_executions"] if each["number"] == node["number"]]
    block = default_registry().lookup(block_id)
    monkeypatch.setattr(type(block), "run", run)
    answer = shell("rerun", execution, "-o", "ids")
    assert answer.code == ExitCode.FAULTY
    assert node["id"] in answer.ids
    assert "something else" in shell("rerun", execution).out
