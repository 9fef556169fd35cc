"""`actbook run`: answers and exit codes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode

EXECUTION_KEYS = {
    "id", "status", "outputs", "error", "stats", "graph_id", "graph_version", "graph_name", "user_id", "inputs",
    "created_at", "queued_at", "started_at", "ended_at", "reason", "actor", "attempt", "origin_id",
    "origin_version", "parent_id", "root_id", "worker",
}  # fmt: skip
STATS_KEYS = {"wall", "node_exec_count", "node_error_count", "node_wall", "node_cpu", "cost"}
NODE_KEYS = {
    "id", "number", "node_id", "node_name", "block_id", "status", "attempt", "inputs", "outputs", "error", "reason",
    "skipped", "child_id", "retry_of", "queued_at", "started_at", "ended_at", "stats", "review",
}  # fmt: skip


def test_json_is_one_object_with_the_promised_keys(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "-o", "json")
    assert answer.code == ExitCode.OK
    assert answer.err == ""
    assert answer.out.count("\n") == 1
    record = answer.json
    assert set(record) == EXECUTION_KEYS
    assert set(record["stats"]) == STATS_KEYS
    assert record["status"] == "COMPLETED"
    assert record["outputs"] == {"Output": [42]}
    assert record["error"] is None
    assert record["inputs"] == {"Input": 8}
    assert record["stats"]["node_exec_count"] == 3
    assert record["ended_at"].endswith("Z")


def test_numbers_keep_their_type(shell: Shell) -> None:
    assert (
        '"outputs":{"Output":[42.0]}'
        in shell("run", shell.graph(graphs.adder()), "--input=Input=8", "-ojson").out
    )


def test_infinity_is_null_in_json(shell: Shell) -> None:
    graph = graphs.adder()
    graph["nodes"][1]["input_default"] = {"operation": "Divide", "b": 0}
    assert shell.run(graph, "--input", "Input=8")["outputs"] == {"Output": [None]}


def test_people_get_progress_on_stderr_and_the_result_on_stdout(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8")
    assert "✓ COMPLETED  3 node executions" in answer.out
    assert "Output: 42.0" in answer.out
    assert [line.strip() for line in answer.err.splitlines()[1:]] == [
        "✓ Input  8",
        "✓ Calculator  42.0",
        "✓ Output  42.0",
        "✓ COMPLETED  3 done",
    ]
    assert "\x1b" not in answer.out + answer.err


def test_ids_prints_the_id_only(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "-o", "ids")
    assert answer.ids == [row["id"] for row in shell("ls", "-o", "json").json]
    assert answer.err == ""


def test_a_failed_node_is_no_failed_run(shell: Shell) -> None:
    record = shell.run(graphs.failing(), "--input", "Index=9")
    assert record["status"] == "COMPLETED"
    assert record["outputs"] == {"Error": ["Index out of range"]}
    assert record["stats"]["node_error_count"] == 1


def test_review_has_an_exit_code_of_its_own(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.review()), "--input", "Amount=12")
    assert answer.code == ExitCode.REVIEW
    assert "? REVIEW" in answer.out
    assert "waits for a person: 12" in answer.err


def test_after_the_timeout_the_run_goes_on(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.timer(60)), "--timeout", "0.3", "-o", "json")
    assert answer.code == ExitCode.TIMEOUT
    assert answer.json["status"] == "RUNNING"
    assert answer.error["kind"] == "timeout"
    assert f"actbook stop {answer.json['id']}" in answer.error["message"]


def test_the_same_key_is_the_same_execution(shell: Shell) -> None:
    first = shell.run(graphs.adder(), "--input", "Input=8", "--idempotency-key", "k")
    again = shell.run(graphs.adder(), "--input", "Input=8", "--idempotency-key", "k")
    assert (again["id"], again["outputs"]) == (first["id"], first["outputs"])
    other = shell("run", shell.graph(graphs.adder()), "--input", "Input=9", "--idempotency-key", "k")
    assert (other.code, "belongs to graph execution" in other.err) == (ExitCode.INVALID, True)
    assert len(shell("ls", "-o", "json").json) == 1


def test_detached_it_is_only_recorded(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "--detach", "-o", "json")
    assert (answer.code, answer.json["status"], answer.err) == (ExitCode.OK, "QUEUED", "")
    assert shell("worker", "--until-idle").code == ExitCode.OK
    assert shell("show", answer.json["id"], "-o", "json").json["outputs"] == {"Output": [42]}


def test_detached_people_are_told_who_runs_it(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "--detach")
    assert "Nobody runs this store now: `actbook worker` does." in answer.err


def test_a_run_in_memory_leaves_nothing(shell: Shell) -> None:
    answer = shell(
        "run", shell.graph(graphs.adder()), "--input", "Input=8", "--store", "memory:", "-o", "json"
    )
    assert answer.json["outputs"] == {"Output": [42]}
    assert [path.name for path in shell.folder.iterdir()] == ["adder.json"]


def test_without_the_blocks_stand_ins_run_when_asked_for(shell: Shell) -> None:
    (answer,) = shell.run(graphs.outside(), "--input", "Question=why", "--simulate")["outputs"]["Answer"]
    assert answer.startswith("Simulated response")


@pytest.mark.parametrize(
    "script", ['{"ai": {"response": "because"}}', '{"AITextGenerator": [[["response", "because"]]]}']
)
def test_a_script_says_what_they_yield(shell: Shell, script: str) -> None:
    (shell.folder / "script.json").write_text(script)
    record = shell.run(graphs.outside(), "--input", "Question=why", "--simulate-file", "script.json")
    assert record["outputs"] == {"Answer": ["because"]}


def test_a_user_is_recorded(shell: Shell) -> None:
    record: dict[str, Any] = shell.run(graphs.adder(), "--input", "Input=8", "--user", "ada")
    assert record["user_id"] == "ada"
    assert shell("show", record["id"], "--user", "bob").code == ExitCode.NOT_FOUND
    assert shell("show", record["id"], "--user", "ada").code == ExitCode.OK


def test_many_node_executions_are_not_all_listed(shell: Shell) -> None:
    nodes = [
        graphs.node("each", "StepThroughItemsBlock", items=list(range(150))),
        graphs.node("out", "AgentOutputBlock", name="Output"),
    ]
    answer = shell(
        "run", shell.graph(graphs.document("many", nodes, [graphs.link("each.item", "out.value")]))
    )
    lines = answer.err.splitlines()
    assert lines[101:] == [
        "  … and so on; `actbook show` lists every node execution",
        "✓ COMPLETED  151 done",
        "… and 100 more values of Output; -o json holds all.",
    ]
    assert answer.out.count("Output: ") == 50
