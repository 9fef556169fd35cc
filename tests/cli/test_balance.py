"""`balance show`, `balance top-up`, `balance history`, and runs that are charged."""

from __future__ import annotations

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


@pytest.fixture
def charging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTBOOK_BILLING", "1")


def test_a_balance_is_topped_up_and_shown(shell: Shell) -> None:
    added = shell(
        "balance", "top-up", "12.5", "--user", "ada", "--reason", "gift", "--key", "k", "-o", "json"
    )
    assert added.code == ExitCode.OK
    assert added.json == {"user_id": "ada", "amount": 12.5, "key": "k", "balance": 12.5}
    assert (
        shell("balance", "top-up", "12.5", "--user", "ada", "--key", "k", "-o", "json").json["balance"]
        == 12.5
    )
    assert shell("balance", "top-up", "-2.5", "--user", "ada", "-o", "json").json["balance"] == 10
    shown = shell("balance", "show", "--user", "ada", "-o", "json").json
    assert shown == {
        "user_id": "ada",
        "balance": 10.0,
        "charged": 0.0,
        "topped_up": 10.0,
        "run_count": 0,
        "last_run_at": None,
    }
    assert shell("balance", "show", "--user", "ada").out == "10 credits left, 0 charged, 0 runs in a row\n"
    assert shell("balance", "show", "--user", "bob", "-o", "json").json["balance"] == 0


def test_the_history_names_what_happened(shell: Shell, charging: None) -> None:
    shell("balance", "top-up", "5", "--user", "ada", "--reason", "gift")
    run = shell.run(graphs.adder(), "--input", "Input=8", "--user", "ada")
    history = shell("balance", "history", "--user", "ada", "-o", "json").json
    assert [(each["topic"], each["change"], each["reason"]) for each in history] == [
        ("balance.topped_up", 5.0, "gift"),
        ("run.counted", None, None),
    ]
    assert history[1]["execution_id"] == run["id"]
    table = shell("balance", "history", "--user", "ada").out
    assert "balance.topped_up" in table
    assert "+5" in table
    assert shell("balance", "history", "--user", "ada", "-o", "ids").ids == [each["id"] for each in history]
    assert shell("balance", "history", "--user", "bob").err == "Nothing yet.\n"


def test_without_credits_a_charged_run_fails(shell: Shell, charging: None) -> None:
    answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "--user", "ada", "-o", "json")
    assert answer.code == ExitCode.FAILED
    assert "Insufficient balance" in answer.json["error"]
    assert {each["status"] for each in _nodes(shell, answer.json["id"])} == {"FAILED"}


def test_runs_are_free_unless_charging_is_asked_for(shell: Shell) -> None:
    assert shell.run(graphs.adder(), "--input", "Input=8", "--user", "ada")["status"] == "COMPLETED"


@pytest.mark.parametrize("amount", ["0", "nan", "inf", "much"])
def test_an_amount_is_a_number_of_credits(shell: Shell, amount: str) -> None:
    answer = shell("balance", "top-up", amount, "-o", "json")
    assert answer.code == (ExitCode.USAGE if amount == "much" else ExitCode.INVALID)
    assert answer.out == ""


def test_a_key_is_not_used_for_two_amounts(shell: Shell) -> None:
    shell("balance", "top-up", "5", "--key", "k")
    answer = shell("balance", "top-up", "6", "--key", "k")
    assert answer.code == ExitCode.INVALID
    assert "'k' was used for 5 credits" in answer.err


def test_showing_makes_no_store(shell: Shell) -> None:
    assert shell("balance", "show").code == ExitCode.NOT_FOUND
    assert shell("balance", "history").code == ExitCode.NOT_FOUND


def _nodes(shell: Shell, execution: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = shell("show", execution, "-o", "json").json["node_executions"]
    return found
