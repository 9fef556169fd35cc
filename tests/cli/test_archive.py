"""`archive create|ls|restore|verify`."""

from __future__ import annotations

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


@pytest.fixture
def execution(shell: Shell) -> str:
    found: str = shell.run(graphs.adder(), "--input", "Input=8")["id"]
    return found


def test_what_is_old_enough_goes_into_a_file_and_comes_back(shell: Shell, execution: str) -> None:
    there = shell("show", execution, "-o", "json").json
    assert (
        shell("archive", "create", "--older-than", "90d", "a.archive", "-o", "json").json["executions"] == []
    )
    made = shell("archive", "create", "--older-than", "0s", "a.archive", "-o", "json").json
    assert made["executions"] == [execution]
    [listed] = shell("archive", "ls", "-o", "json").json
    assert (listed["file"], listed["executions"], listed["present"]) == (made["file"], 1, True)
    assert shell("archive", "ls", "-o", "ids").ids == [made["file"]]
    [row] = shell("ls", "-o", "json").json
    assert (row["id"], row["archived"]) == (execution, f"archived in {made['file']}")
    assert f"archived in {made['file']}" in shell("ls").out
    gone = shell("show", execution[:8])
    assert gone.code == ExitCode.NOT_FOUND
    assert f"was archived in {made['file']}" in gone.err
    assert shell("verify", "--all").code == ExitCode.OK
    assert shell("archive", "verify", "a.archive").code == ExitCode.OK
    assert shell("archive", "restore", "a.archive", "-o", "ids").ids == [execution]
    assert shell("show", execution, "-o", "json").json == there
    assert shell("archive", "ls", "-o", "json").json == []


def test_ids_come_from_stdin_and_a_user_moves_his_own(shell: Shell, execution: str) -> None:
    run = ("run", shell.graph(graphs.adder()), "--input", "Input=1", "--user", "eve", "-o", "ids")
    [hers] = shell(*run).ids
    assert shell("archive", "create", "e.archive", execution, "--user", "eve").code == ExitCode.NOT_FOUND
    answer = shell("archive", "create", "e.archive", "--older-than", "0s", "--user", "eve", "-o", "ids")
    assert answer.ids == [hers]
    answer = shell("archive", "create", "a.archive", "-", "-o", "ids", stdin=f"{execution}\n")
    assert answer.ids == [execution]
    answer = shell("archive", "restore", "-", "-o", "ids", stdin="a.archive e.archive")
    assert sorted(answer.ids) == sorted([execution, hers])


def test_the_choice_can_be_narrowed(shell: Shell, execution: str) -> None:
    graph = shell.graph(graphs.adder())
    old = ("archive", "create", "a.archive", "--older-than", "0s", "-o", "ids")
    assert shell(*old, "--status", "FAILED").ids == []
    assert shell(*old, "--graph", "another").ids == []
    assert shell(*old, "--status", "COMPLETED", "--graph", graph).ids == [execution]


def test_discarding_needs_its_flag_and_is_for_good(shell: Shell, execution: str) -> None:
    assert shell("archive", "create", "--older-than", "0s").code == ExitCode.USAGE
    assert shell("archive", "create", "--older-than", "0s", "--discard", "-o", "ids").ids == [execution]
    assert "discarded" in shell("show", execution).err
    [listed] = shell("archive", "ls", "-o", "json").json
    assert (listed["file"], listed["discarded"]) == (None, True)
    checked = shell("verify", "--all")
    assert checked.code == ExitCode.OK
    assert "not compared" in checked.err


def test_wrong_requests_are_told_with_the_remedy(shell: Shell, execution: str) -> None:
    cases = [
        (("create",), ExitCode.USAGE, "Name the file"),
        (("create", "a.archive"), ExitCode.USAGE, "Say which executions"),
        (("create", "a.archive", execution, "--older-than", "1d"), ExitCode.USAGE, "not both"),
        (("create", "a.archive", execution, "--graph", "g"), ExitCode.USAGE, "leave them out"),
        (("create", "a.archive", "--older-than", "soon"), ExitCode.USAGE, "is no age"),
        (("create", "a.archive", "nobody"), ExitCode.NOT_FOUND, "no execution"),
        (("restore", "none.archive"), ExitCode.NOT_FOUND, "no file"),
        (("verify", "none.archive"), ExitCode.NOT_FOUND, "no file"),
    ]
    for arguments, code, text in cases:
        answer = shell("archive", *arguments)
        assert (answer.code, text in answer.err) == (code, True), (arguments, answer)
    (shell.folder / "a.archive").write_text("mine")
    assert shell("archive", "create", "a.archive", execution).code == ExitCode.STORE
    answer = shell("archive", "verify", "a.archive", "-o", "json")
    assert answer.code == ExitCode.FAULTY
    assert answer.json[0]["faults"]
    assert shell("archive", "restore", "a.archive").code == ExitCode.STORE
