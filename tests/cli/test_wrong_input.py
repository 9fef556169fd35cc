"""Whatever is wrong: one sentence with the remedy, and the documented exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli import _app
from actbook.cli._exit_codes import ExitCode


class Case(NamedTuple):
    """`words` are in the sentence, in this order."""

    arguments: str
    code: ExitCode
    words: tuple[str, ...]


CASES = [
    Case("rnu", ExitCode.USAGE, ("no verb 'rnu'", "Did you mean run?", "actbook --help")),
    Case("zzzzzz", ExitCode.USAGE, ("no verb 'zzzzzz'",)),
    Case("--nonsense", ExitCode.USAGE, ("--nonsense",)),
    Case("run", ExitCode.USAGE, ("GRAPH is missing", "actbook run --help")),
    Case("run adder.json --bogus", ExitCode.USAGE, ("--bogus",)),
    Case("run adder.json extra", ExitCode.USAGE, ("'extra'", "leave it out")),
    Case("run adder.json --timeout soon", ExitCode.USAGE, ("--timeout", "soon")),
    Case("run adder.json -o xml", ExitCode.USAGE, ("xml", "table", "json", "ids")),
    Case("run adder.json --input Input", ExitCode.USAGE, ("'Input'", "NAME=VALUE")),
    Case("run adder.json --input =8", ExitCode.USAGE, ("'=8'", "NAME=VALUE")),
    Case("run adder.json --input Input:=x", ExitCode.USAGE, ("Input is not JSON", "Input=TEXT")),
    Case("run adder.json --input Input=1 --input Input=2", ExitCode.USAGE, ("Input is given twice",)),
    Case("run nowhere.json", ExitCode.NOT_FOUND, ("no file nowhere.json", "Check the path")),
    Case("run folder", ExitCode.INVALID, ("folder is a folder", "inner.json")),
    Case("run broken.json", ExitCode.INVALID, ("broken.json", "not JSON", "Export the graph again")),
    Case("run empty.json", ExitCode.INVALID, ("empty.json", "not JSON")),
    Case("run list.json", ExitCode.INVALID, ("list.json", "expected an object, found a list")),
    Case("run latin.json", ExitCode.INVALID, ("latin.json is not UTF-8", "Save it as UTF-8")),
    Case("run no-nodes.json", ExitCode.INVALID, ("no-nodes.json", "at nodes")),
    Case("run no-block.json", ExitCode.INVALID, ("no-block.json", "nodes[0].block_id")),
    Case("run hollow.json", ExitCode.INVALID, ("No starting nodes",)),
    Case("run dangling.json --input Input=1", ExitCode.INVALID, ("nobody",)),
    Case("run unset.json", ExitCode.INVALID, ("node add", "b: This field is required", "Correct it")),
    Case("run outside.json --input Question=x", ExitCode.INVALID, ("AITextGeneratorBlock", "--simulate")),
    Case("run adder.json", ExitCode.INVALID, ("needs the input Input", "--input Input=…")),
    Case("run adder.json --input Inptu=8", ExitCode.INVALID, ("no input Inptu", "Did you mean Input?")),
    Case("run adder.json --inputs-file nowhere.json", ExitCode.NOT_FOUND, ("no file nowhere.json",)),
    Case("run adder.json --inputs-file list.json", ExitCode.INVALID, ("list.json holds no object",)),
    Case("run adder.json --inputs-file broken.json", ExitCode.INVALID, ("broken.json is not JSON",)),
    Case("run adder.json --input Input=@nowhere.txt", ExitCode.NOT_FOUND, ("no file nowhere.txt",)),
    Case("run outside.json --input Question=x --simulate-file list.json", ExitCode.INVALID, ("list.json", "must be an object")),
    Case("run outside.json --input Question=x --simulate-file wrong.json", ExitCode.INVALID, ("AITextGenerator",)),
    Case("ls --store nonsense", ExitCode.USAGE, ("'nonsense'", "sqlite:///PATH")),
    Case("ls --store sqlite:///elsewhere.db", ExitCode.NOT_FOUND, ("no store at elsewhere.db", "--store", "actbook run")),
    Case("run adder.json --input Input=1 --store sqlite:///no/folder.db", ExitCode.STORE, ("folder no", "does not exist", "Create it")),
    Case("ls --store sqlite:///broken.json", ExitCode.STORE, ("broken.json", "not a SQLite file")),
    Case("ls --store sqlite:///foreign.db", ExitCode.STORE, ("foreign.db", "another application")),
    Case("ls --store sqlite:///folder", ExitCode.STORE, ("folder is a folder", "sqlite:///folder/actbook.db")),
    Case("ls --status DONE", ExitCode.USAGE, ("DONE", "COMPLETED")),
    Case("ls --limit 0", ExitCode.USAGE, ("--limit 0", "from 1 on")),
    Case("show nobody --limit -1", ExitCode.USAGE, ("--limit -1", "from 0 on")),
    Case("timeline nobody --limit -1", ExitCode.USAGE, ("--limit -1", "from 0 on")),
    Case("replay nobody --limit -1", ExitCode.USAGE, ("--limit -1", "from 0 on")),
    Case("rerun nobody --limit -1", ExitCode.USAGE, ("--limit -1", "from 0 on")),
    Case("review --limit -1", ExitCode.USAGE, ("--limit -1", "from 1 on")),
    Case("import folder", ExitCode.USAGE, ("folder is a folder", "actbook export")),
    Case("import /dev/null", ExitCode.INVALID, ("/dev/null", "the file is empty", "Nothing was imported")),
    Case("ls --since yesterday", ExitCode.USAGE, ("--since 'yesterday'", "ISO 8601")),
    Case("show", ExitCode.USAGE, ("No id was given", "actbook ls -o ids")),
    Case("show --bogus", ExitCode.USAGE, ("Unknown option: --bogus", "--help")),
    Case("show nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'", "actbook ls")),
    Case("watch nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("stop nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("verify nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("verify nobody --all", ExitCode.USAGE, ("ids or --all",)),
    Case("replay nobody --at soon", ExitCode.USAGE, ("--at 'soon'", "ISO 8601")),
    Case("diff nobody 1 2", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("graph nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("graph nowhere.json", ExitCode.NOT_FOUND, ("no file nowhere.json",)),
    Case("review nobody", ExitCode.USAGE, ("--approve or --reject",)),
    Case("review nobody --approve --data {", ExitCode.USAGE, ("--data is not JSON",)),
    Case("review nobody --approve", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
    Case("blocks show", ExitCode.USAGE, ("Name the block",)),
    Case("blocks show Calculater", ExitCode.NOT_FOUND, ("no block 'Calculater'", "CalculatorBlock")),
]  # fmt: skip


@pytest.fixture
def files(shell: Shell) -> Path:
    """A folder of things that are wrong in all ways, and a store with one execution."""
    folder = shell.folder
    for each in (graphs.adder(), graphs.outside(), graphs.document("hollow", [], [])):
        shell.graph(each)
    dangling: dict[str, Any] = graphs.adder() | {"id": "dangling"}
    dangling["links"].append(graphs.link("in.result", "nobody.value"))
    unset = graphs.document("unset", [graphs.node("add", "CalculatorBlock", operation="Add", a=1)], [])
    for each in (dangling, unset):
        shell.graph(each)
    (folder / "folder").mkdir()
    (folder / "folder" / "inner.json").write_text("{}")
    (folder / "broken.json").write_text('{"nodes": [' + " " * 1000)
    (folder / "empty.json").touch()
    (folder / "list.json").write_text("[]")
    (folder / "latin.json").write_bytes('{"name": "Müller"}'.encode("latin-1"))
    (folder / "no-nodes.json").write_text("{}")
    (folder / "no-block.json").write_text('{"nodes": [{"id": "a"}]}')
    (folder / "wrong.json").write_text('{"nobody": {"response": 1}}')
    _make_foreign(folder / "foreign.db")
    assert shell("run", "adder.json", "--input", "Input=8").code == ExitCode.OK
    return folder


def _make_foreign(path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other(a)")
    connection.close()


def test_each_fault_is_one_sentence_with_its_exit_code(shell: Shell, files: Path) -> None:
    wrong: list[str] = []
    for case in CASES:
        answer = shell(*case.arguments.split())
        sentence = answer.err
        places = [sentence.find(word) for word in case.words]
        fine = (
            answer.code == case.code
            and answer.out == ""
            and sentence.startswith("actbook: ")
            and sentence.count("\n") == 1
            and -1 not in places
            and places == sorted(places)
            and "Traceback" not in sentence
        )
        if not fine:
            wrong.append(f"{case.arguments}: {answer.code} {answer.out!r} {sentence!r}")
    assert wrong == []


def test_in_json_the_error_is_an_object_on_stderr(shell: Shell, files: Path) -> None:
    kinds = {
        ExitCode.USAGE: "usage",
        ExitCode.NOT_FOUND: "not_found",
        ExitCode.INVALID: "invalid",
        ExitCode.STORE: "store",
    }
    for case in CASES:
        if "-o xml" in case.arguments or case.arguments.startswith("--nonsense"):
            continue
        answer = shell(*case.arguments.split(), "-o", "json")
        assert answer.out == ""
        assert answer.error["exit_code"] == answer.code == case.code, case.arguments
        assert answer.error["kind"] == kinds[case.code]
        assert set(answer.error) <= {"kind", "message", "exit_code", "details"}


def test_nothing_is_recorded_when_the_request_is_wrong(shell: Shell) -> None:
    assert shell("run", shell.graph(graphs.adder())).code == ExitCode.INVALID
    assert not (shell.folder / "store.db").exists()


def test_all_faults_of_a_graph_are_in_the_details(shell: Shell) -> None:
    nodes = [graphs.node(name, "CalculatorBlock", operation="Add") for name in ("a", "b", "c")]
    answer = shell("run", shell.graph(graphs.document("unset", nodes, [])), "-o", "json")
    assert len(answer.error["details"]["node_errors"]) == 3
    assert "; and 1 more" in answer.error["message"]


def test_an_unforeseen_fault_is_short_and_tells_how_to_see_more(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> int:
        raise KeyError("some\nthing")

    monkeypatch.setattr(_app, "_call", fail)
    answer = shell("ls")
    assert answer.code == ExitCode.UNEXPECTED
    assert answer.err.count("\n") == 1
    assert "Unexpected KeyError" in answer.err
    assert "ACTBOOK_DEBUG=1" in answer.err
    monkeypatch.setenv("ACTBOOK_DEBUG", "1")
    assert "Traceback" in shell("ls").err


def test_error_details_name_what_is_missing(shell: Shell) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "-o", "json")
    assert json.loads(answer.err)["error"]["details"] == {"missing": ["Input"]}


def test_a_store_that_may_not_be_written_to_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")
    import os

    real = os.access

    def refuse(path: Path, mode: int) -> bool:
        return not str(path).endswith("store.db") and real(path, mode)

    monkeypatch.setattr(os, "access", refuse)
    answer = shell("ls")
    assert answer.code == ExitCode.STORE
    assert "No permission to read and write" in answer.err
    assert "chmod" in answer.err
