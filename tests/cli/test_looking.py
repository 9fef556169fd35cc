"""`ls`, `show`, `watch`, `replay`, `diff`: looking at what is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell
from tests.cli.test_run import EXECUTION_KEYS, NODE_KEYS, STATS_KEYS

from actbook.cli._exit_codes import ExitCode


@pytest.fixture
def done(shell: Shell) -> dict[str, Any]:
    """A COMPLETED execution, as `run` printed it."""
    record: dict[str, Any] = shell.run(graphs.adder(), "--input", "Input=8", "--user", "ada")
    return record


def test_ls_has_the_rows_that_run_printed_newest_first(shell: Shell, done: dict[str, Any]) -> None:
    second = shell.run(graphs.adder(), "--input", "Input=9")
    rows = shell("ls", "-o", "json").json
    assert [row["id"] for row in rows] == [second["id"], done["id"]]
    assert set(rows[0]) == EXECUTION_KEYS
    assert set(rows[0]["stats"]) == STATS_KEYS
    assert rows[1] == done


def test_an_empty_list_is_empty(shell: Shell, done: dict[str, Any]) -> None:
    assert shell("ls", "--status", "FAILED", "-o", "json").json == []
    for condition in (("--status", "FAILED"), ("--min-wall", "1000"), ("--until", "2020-01-01")):
        answer = shell("ls", *condition)
        assert (answer.out, answer.err) == ("", "No executions that fit.\n")


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["--status", "COMPLETED"], True),
        (["--status", "FAILED", "--status", "COMPLETED"], True),
        (["--status", "RUNNING"], False),
        (["--graph", "adder"], True),
        (["--graph", "adder.json"], True),
        (["--graph", "other"], False),
        (["--user", "ada"], True),
        (["--user", "bob"], False),
        (["--since", "2020-01-01"], True),
        (["--until", "2020-01-01T00:00:00Z"], False),
        (["--text", "boom"], False),
        (["--min-wall", "0"], True),
        (["--min-wall", "100"], False),
        (["--max-wall", "100"], True),
        (["--min-cost", "0.5"], False),
        (["--max-cost", "0"], True),
        (["--sort", "-queued"], True),
        (["--sort", "wall"], True),
        (["--sort", "-nodes"], True),
    ],
)
def test_ls_filters(shell: Shell, done: dict[str, Any], conditions: list[str], found: bool) -> None:
    assert shell("ls", *conditions, "-o", "ids").ids == ([done["id"]] if found else [])


def test_ls_for_people_has_aligned_columns_without_codes(shell: Shell, done: dict[str, Any]) -> None:
    head, row = shell("ls").out.splitlines()
    assert head.split() == ["id", "status", "graph", "created", "took", "nodes", "outputs", "or", "error"]
    assert row.startswith(f"{done['id']}  ✓ COMPLETED  Adder")
    assert "\x1b" not in row
    assert row == row.rstrip()


def test_ls_says_when_there_are_more(shell: Shell, done: dict[str, Any]) -> None:
    shell.run(graphs.adder(), "--input", "Input=9")
    assert "… and more; --limit 2 shows them." in shell("ls", "--limit", "1").err


def test_stats_tell_how_blocks_do_and_what_waits(shell: Shell, done: dict[str, Any]) -> None:
    waits = shell.run(graphs.review(), "--input", "Amount=12", "--user", "bob")["id"]
    answer = shell("stats", "-o", "json").json
    by_name = {row["block_name"]: row for row in answer["blocks"]}
    calculator = by_name["CalculatorBlock"]
    assert (calculator["completed"], calculator["failed"], calculator["day"]) == (1, 0, None)
    assert set(calculator["run"]) == set(calculator["wait"]) == {"mean", "p50", "p90", "p99"}
    assert {(row["kind"], row["status"], row["count"]) for row in answer["queue"]} == {
        ("execution", "REVIEW", 1),
        ("node", "REVIEW", 1),
    }
    assert {row["oldest_id"] for row in answer["queue"]} == {waits, f"{waits}.2"}
    assert sum(row["ended"] for row in answer["workers"]) == 1
    assert shell("stats", "--user", "ada", "-o", "json").json["queue"] == []
    block = calculator["block_id"]
    [row] = shell("stats", "--block", block, "--daily", "-o", "json").json["blocks"]
    assert row["day"] is not None
    assert shell("stats", "--block", block, "-o", "ids").ids == [block]
    lines = shell("stats").out.splitlines()
    heads = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert {"block", "waits", "worker", "CalculatorBlock"} <= set(heads)
    assert shell("stats", "--user", "eve").err == "No node execution ended that fits, and nothing waits.\n"
    assert shell("stats", "--since", "2999-01-01", "-o", "json").json["blocks"] == []
    assert shell("stats", "--since", "soon").code == ExitCode.USAGE


def test_show_has_the_execution_and_its_node_executions(shell: Shell, done: dict[str, Any]) -> None:
    record = shell("show", done["id"], "-o", "json").json
    assert set(record) == EXECUTION_KEYS | {"version", "node_executions"}
    assert {key: record[key] for key in EXECUTION_KEYS} == done
    nodes = record["node_executions"]
    assert [set(each) for each in nodes] == [NODE_KEYS] * 3
    assert [each["node_name"] for each in nodes] == ["Input", "Calculator", "Output"]
    assert nodes[1]["id"] == f"{done['id']}.2"
    assert nodes[1]["inputs"]["a"] == 8
    assert nodes[1]["outputs"] == {"result": [42]}
    assert set(nodes[1]["stats"]) >= {"wall", "cpu", "counters"}


def test_the_beginning_of_an_id_is_enough_when_only_one_has_it(shell: Shell, done: dict[str, Any]) -> None:
    assert shell("show", done["id"][:6], "-o", "ids").ids == [done["id"]]
    with_keys = [
        shell.run(graphs.adder(), "--input", "Input=1", "--idempotency-key", str(n))["id"] for n in range(17)
    ]
    first = [each[0] for each in [done["id"], *with_keys]]
    shared = next(letter for letter in first if first.count(letter) > 1)
    answer = shell("show", shared)
    assert answer.code == ExitCode.USAGE
    assert "begins the ids of several executions" in answer.err


def test_ids_come_from_stdin(shell: Shell, done: dict[str, Any]) -> None:
    other = shell.run(graphs.adder(), "--input", "Input=9")
    answer = shell("show", "-", "-o", "json", stdin=f"{done['id']}\n{other['id']}\n")
    assert [json.loads(line)["outputs"] for line in answer.out.splitlines()] == [
        {"Output": [42]},
        {"Output": [43]},
    ]


def test_show_for_people(shell: Shell, done: dict[str, Any]) -> None:
    out = shell("show", done["id"]).out
    for line in ("Output: 42.0", "graph: Adder v1", "user: ada", "input Input: 8"):
        assert line in out.splitlines()
    assert "2  ✓ COMPLETED  Calculator" in out
    assert '{"result":[42.0]}' in out
    assert "… and 2 more; --limit 3 shows them." in shell("show", done["id"], "--limit", "1").err


def test_show_tells_of_failures_reviews_and_waiting_inputs(shell: Shell) -> None:
    failed = shell.run(graphs.failing(), "--input", "Index=9")
    assert "✗ FAILED     Get List Item  " in shell("show", failed["id"]).out
    waits = shell.run(graphs.review(), "--input", "Amount=12")
    assert "waits for a person: 12" in shell("show", waits["id"]).out
    (asked,) = [n for n in shell("show", waits["id"], "-o", "json").json["node_executions"] if n["review"]]
    assert asked["review"] == {
        "name": "Refund", "data": 12, "editable": True, "approved": None, "message": None, "reviewer": None,
    }  # fmt: skip
    nodes = [
        graphs.node("a", "StoreValueBlock", input=1),
        graphs.node("b", "CalculatorBlock", operation="Add"),
    ]
    links = [graphs.link("a.output", "b.a"), graphs.link("b.result", "b.b")]
    half = shell.run(graphs.document("half", nodes, links))
    assert 'has ["a"]' in shell("show", half["id"]).out


def test_watch_of_a_finished_execution_ends_with_its_code(shell: Shell, done: dict[str, Any]) -> None:
    answer = shell("watch", done["id"], "-o", "json")
    assert (answer.code, answer.json) == (ExitCode.OK, done)
    waits = shell.run(graphs.review(), "--input", "Amount=12")
    assert shell("watch", waits["id"]).code == ExitCode.REVIEW


def test_watch_says_when_nobody_runs_the_store(shell: Shell) -> None:
    left = shell("run", shell.graph(graphs.timer(60)), "--detach", "-o", "ids").ids[0]
    answer = shell("watch", left, "--timeout", "0.05")
    assert answer.code == ExitCode.TIMEOUT
    assert "Nobody runs this store now" in answer.err


def test_replay_gives_the_state_at_any_version(shell: Shell, done: dict[str, Any]) -> None:
    whole = shell("show", done["id"], "-o", "json").json
    assert shell("replay", done["id"], "-o", "json").json == whole
    statuses = [
        shell("replay", done["id"], "--at", str(n), "-o", "json").json["status"]
        for n in (1, 3, 5, whole["version"])
    ]
    assert statuses == ["INCOMPLETE", "QUEUED", "RUNNING", "COMPLETED"]
    half = shell("replay", done["id"], "--at", "7", "-o", "json").json
    assert (half["version"], half["outputs"], len(half["node_executions"])) == (7, {}, 1)
    assert "version 7 of 14  node.completed" in shell("replay", done["id"], "--at", "7").out
    at = whole["ended_at"]
    assert shell("replay", done["id"], "--at", at, "-o", "json").json["status"] == "COMPLETED"


@pytest.mark.parametrize("at", ["0", "15", "2020-01-01"])
def test_replay_outside_of_the_history_is_refused(shell: Shell, done: dict[str, Any], at: str) -> None:
    assert shell("replay", done["id"], "--at", at).code == ExitCode.NOT_FOUND


def test_diff_names_what_changed(shell: Shell, done: dict[str, Any]) -> None:
    changes = shell("diff", done["id"], "6", "7", "-o", "json").json
    status = next(change for change in changes if change["path"] == ["node_executions", 1, "status"])
    assert (status["before"], status["after"]) == ("RUNNING", "COMPLETED")
    gone = next(change for change in changes if change["path"][0] == "running")
    assert "after" not in gone
    people = shell("diff", done["id"], "6", "7").out
    assert "node_executions.1.status  - RUNNING  + COMPLETED" in people
    assert shell("diff", done["id"], "7", "7").err == "Nothing changed between the two points.\n"
