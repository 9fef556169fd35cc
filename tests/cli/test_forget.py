"""`forget`."""

from __future__ import annotations

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode
from actbook.journal.keys import generate_master_key

CANARY = 7_316_528_094


@pytest.fixture
def hers(shell: Shell) -> str:
    graph = shell.graph(graphs.adder())
    [found] = shell("run", graph, "--input", f"Input={CANARY}", "--user", "eve", "-o", "ids").ids
    return found


def test_a_user_is_forgotten_and_others_stay(shell: Shell, hers: str) -> None:
    kept = shell.run(graphs.adder(), "--input", "Input=8")["id"]
    [done] = shell("forget", "eve", "-o", "json").json
    assert (done["user"], done["executions"]) == ("eve", [hers])
    assert shell("ls", "-o", "ids").ids == [kept]
    gone = shell("show", hers)
    assert (gone.code, "discarded for good" in gone.err) == (ExitCode.NOT_FOUND, True)
    assert shell("verify", "--all").code == ExitCode.OK
    stored = b"".join(each.read_bytes() for each in shell.folder.glob("*.db*"))
    assert str(CANARY).encode() not in stored
    assert "0 executions" in shell("forget", "eve").out


def test_names_come_from_stdin_and_only_the_operator_names_others(shell: Shell, hers: str) -> None:
    assert shell("forget", "eve", "--user", "ada").code == ExitCode.USAGE
    assert shell("forget").code == ExitCode.USAGE
    assert shell("forget", "-", "-o", "ids", stdin="eve\n").ids == [hers]


def test_what_has_not_ended_is_in_the_way_unless_it_is_stopped(shell: Shell, hers: str) -> None:
    graph = shell.graph(graphs.adder())
    [waiting] = shell("run", graph, "--input", "Input=1", "--user", "eve", "--detach", "-o", "ids").ids
    refused = shell("forget", "eve")
    assert refused.code == ExitCode.INVALID
    assert f"execution {waiting}" in refused.err
    assert "--stop" in refused.err
    assert sorted(shell("forget", "eve", "--stop", "-o", "ids").ids) == sorted([hers, waiting])
    assert shell("ls", "-o", "ids").ids == []


def test_keys_are_destroyed_and_executions_stay(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTBOOK_PAYLOAD_KEY", generate_master_key())
    graph = shell.graph(graphs.adder())
    [found] = shell("run", graph, "--input", f"Input={CANARY}", "--user", "eve", "-o", "ids").ids
    assert shell("show", found, "-o", "json").json["inputs"] == {"Input": CANARY}
    stored = b"".join(each.read_bytes() for each in shell.folder.glob("*.db*"))
    assert str(CANARY).encode() not in stored
    [done] = shell("forget", "eve", "--keys", "--reason", "asked", "-o", "json").json
    assert (done["user"], done["executions"], done["keys"]) == ("eve", [found], 1)
    assert shell("show", found, "-o", "json").json["inputs"] == {"Input": "[forgotten]"}
    assert shell("verify", "--all").code == ExitCode.OK
    rerun = shell("rerun", found, "-o", "json").json
    assert {each["why"] for each in rerun["node_executions"]} == {"its values are forgotten"}
    refused = shell("retry", found)
    assert (refused.code, "were forgotten" in refused.err) == (ExitCode.INVALID, True)
    assert "0 keys destroyed" in shell("forget", "eve", "--keys").out
    shell("run", graph, "--input", "Input=1", "--user", "bob")
    monkeypatch.setenv("ACTBOOK_PAYLOAD_KEY", generate_master_key())
    wrong = shell("show", found)
    assert (wrong.code, "Give the right one" in wrong.err) == (ExitCode.STORE, True)
    monkeypatch.delenv("ACTBOOK_PAYLOAD_KEY")
    assert "ACTBOOK_PAYLOAD_KEY" in shell("forget", "eve", "--keys").err
    assert shell("forget", "eve", "--reason", "x").code == ExitCode.USAGE
