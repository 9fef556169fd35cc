"""`export`, `import`, `report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


@pytest.fixture
def execution(shell: Shell) -> str:
    found: str = shell.run(graphs.adder(), "--input", "Input=8")["id"]
    return found


def test_what_was_exported_can_be_imported_elsewhere(shell: Shell, execution: str) -> None:
    assert shell("export", execution[:6], "-o", "one.jsonl").code == ExitCode.OK
    answer = shell("import", "one.jsonl", "--store", "sqlite:///other.db", "-o", "json")
    assert answer.json["executions"] == [execution]
    there = shell("show", execution, "-o", "json").json
    assert shell("show", execution, "-o", "json", "--store", "sqlite:///other.db").json == there
    again = shell("import", "one.jsonl", "--store", "sqlite:///other.db", "-o", "json").json
    assert (again["events"], again["executions"]) == (0, [])
    assert shell("verify", "--all", "--store", "sqlite:///other.db").code == ExitCode.OK


def test_a_damaged_file_is_refused_with_its_line(shell: Shell, execution: str) -> None:
    shell("export", execution, "-o", "one.jsonl")
    path = shell.folder / "one.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    answer = shell("import", "one.jsonl", "--store", "sqlite:///other.db")
    lines = len(path.read_bytes().splitlines())
    assert answer.code == ExitCode.INVALID
    assert f"one.jsonl, line {lines}: the line was cut off" in answer.err
    assert shell("import", "none.jsonl").code == ExitCode.NOT_FOUND


def test_ids_come_from_stdin(shell: Shell, execution: str) -> None:
    other = shell.run(graphs.adder(), "--input", "Input=9")["id"]
    listed = shell("ls", "-o", "ids").out
    shell("export", "-", "-o", "two.jsonl", stdin=listed)
    answer = shell("import", "two.jsonl", "--store", "sqlite:///other.db", "-o", "ids")
    assert sorted(answer.ids) == sorted([execution, other])


def test_a_user_gets_his_own_only(shell: Shell, execution: str) -> None:
    mine = shell("run", shell.graph(graphs.adder()), "--input", "Input=1", "--user", "eve", "-o", "ids").ids[
        0
    ]
    shell("export", "--user", "eve", "-o", "eve.jsonl")
    streams = {
        json.loads(line).get("actbookstream")
        for line in (shell.folder / "eve.jsonl").read_bytes().splitlines()
    }
    assert mine in streams
    assert execution not in streams
    assert shell("export", execution, "--user", "eve").code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("cloudevents", '{"specversion":"1.0"'),
        ("ocel", '{"objectTypes"'),
        ("xes", "<?xml"),
        ("mermaid", "flowchart TD"),
        ("svg", "<svg"),
    ],
)
def test_every_format_goes_into_a_file(shell: Shell, execution: str, form: str, begins: str) -> None:
    assert shell("export", execution, "--format", form, "-o", "file").code == ExitCode.OK
    assert (shell.folder / "file").read_text().startswith(begins)
    assert not list(shell.folder.glob("*.part"))


def test_wrong_use_is_told(shell: Shell, execution: str) -> None:
    assert shell("export").code == ExitCode.USAGE
    assert shell("export", execution, "--all").code == ExitCode.USAGE
    assert shell("export", "--all", "--user", "ada").code == ExitCode.USAGE
    assert shell("export", "--all", "--format", "svg").code == ExitCode.USAGE
    assert shell("export", execution, "-o", "no/such/folder").code == ExitCode.STORE
    (shell.folder / "folder").mkdir()
    assert shell("export", execution, "-o", "folder").code == ExitCode.STORE
    assert not list(shell.folder.glob("*.part"))


def test_a_report_is_one_file(shell: Shell, execution: str) -> None:
    answer = shell("report", execution)
    assert answer.out.strip() == f"{execution}.html"
    text = (shell.folder / f"{execution}.html").read_text()
    assert text.startswith("<!doctype html>")
    assert execution in text
    assert shell("report", execution, "-o", "named.html").ids == ["named.html"]
    assert Path(shell.folder, "named.html").read_text() == text
    assert shell("report", execution, execution, "-o", "one.html").code == ExitCode.USAGE
    assert shell("report", execution, "--user", "eve").code == ExitCode.NOT_FOUND
