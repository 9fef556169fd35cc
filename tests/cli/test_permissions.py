"""`--user` on the command line: nothing of anybody else is seen or changed, not even an id."""

from __future__ import annotations

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell


def run(shell: Shell, user: str) -> str:
    """The id of a finished execution of that user."""
    execution: str = shell.run(graphs.adder(), "--input", "Input=8", "--user", user)["id"]
    return execution


@pytest.mark.parametrize(
    "verb", ["show", "watch", "stop", "graph", "replay", "diff", "verify", "review --approve"]
)
@pytest.mark.parametrize("length", [36, 6])
def test_anothers_execution_is_not_found(shell: Shell, verb: str, length: int) -> None:
    execution = run(shell, "ada")
    given = execution[:length]
    if verb == "diff":
        given += "@1"
    name, *flags = verb.split()
    answer = shell(name, given, *(["2"] if verb == "diff" else []), *flags, "--user", "eve")
    assert answer.code == 7, answer.err
    assert execution not in answer.out + answer.err.replace(given, "")


def test_lists_hold_ones_own(shell: Shell) -> None:
    mine, hers = run(shell, "ada"), run(shell, "eve")
    assert shell("ls", "--user", "ada", "-o", "ids").ids == [mine]
    assert set(shell("ls", "-o", "ids").ids) == {mine, hers}
    assert [each["id"] for each in shell("verify", "--all", "--user", "eve", "-o", "json").json] == [hers]


def test_two_users_may_run_the_same_file(shell: Shell) -> None:
    run(shell, "ada")
    assert shell("show", run(shell, "eve"), "--user", "eve", "-o", "json").json["graph_version"] == 1


def test_a_graph_of_somebody_else_is_not_drawn(shell: Shell) -> None:
    run(shell, "ada")
    assert shell("graph", "adder", "--user", "ada", "-o", "ids").ids == ["in", "add", "out"]
    assert shell("graph", "adder", "-o", "ids").ids == ["in", "add", "out"]
    assert shell("graph", "adder", "--user", "eve", "-o", "ids").code == 7
    assert shell("schedule", "add", "adder", "--cron", "@daily", "--user", "eve").code == 7
