"""`actbook credentials`: secrets go in, and never come out."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell
from tests.engine.credentials.kit import asking

from actbook.blocks import default_registry
from actbook.engine.credentials import generate_key

CANARY = "canary-3b90"
_BLOCK = asking()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for name in ("ACTBOOK_CREDENTIALS_KEY", "ACTBOOK_CREDENTIALS_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    # Known to this test's command lines alone.
    monkeypatch.setitem(default_registry()._blocks, _BLOCK.id, _BLOCK())


def add(shell: Shell, name: str = "gh", *options: str, stdin: str = CANARY + "\n") -> Any:
    return shell("credentials", "add", name, "--provider", "github", *options, stdin=stdin)


def test_a_secret_from_stdin_is_kept_encrypted_and_listed_without_it(shell: Shell) -> None:
    added = add(shell, "gh", "--title", "Work", "-o", "json")
    meta = {"id": "gh", "provider": "github", "type": "api_key", "title": "Work"}
    assert (added.code, added.json) == (0, meta)
    listed = shell("credentials", "ls", "-o", "json")
    assert listed.json == [meta]
    assert "gh  github    api_key  Work" in shell("credentials", "ls").out
    assert shell("credentials", "ls", "-o", "ids").ids == ["gh"]
    data = b"".join(path.read_bytes() for path in shell.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in data
    assert CANARY not in added.out + added.err + listed.out


def test_a_key_is_made_once_in_the_users_own_folder(shell: Shell) -> None:
    first, second = add(shell, "a"), add(shell, "b")
    key = shell.folder / "home" / "actbook" / "credentials.key"
    assert str(key) in first.err
    assert str(key) not in second.err
    assert key.stat().st_mode & 0o077 == 0


def test_each_user_has_credentials_of_their_own(shell: Shell) -> None:
    add(shell, "gh", "--user", "ada")
    assert shell("credentials", "ls", "--user", "ada", "-o", "ids").ids == ["gh"]
    assert shell("credentials", "ls", "--user", "eve", "-o", "ids").ids == []
    assert shell("credentials", "ls", "-o", "ids").ids == []
    assert shell("credentials", "rm", "gh", "--user", "eve").code == 7


def test_several_secrets_are_lines_of_stdin_or_variables(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PASSWORD", CANARY)
    assert add(shell, "u", "--type", "user_password", stdin="ada\npw\n").code == 0
    mixed = add(shell, "v", "--type", "user_password", "--env", "password=MY_PASSWORD", stdin="ada\n")
    assert mixed.code == 0
    assert add(shell, "o", "--type", "oauth2", "--scope", "read", stdin=CANARY).code == 0
    assert add(shell, "h", "--type", "host_scoped", "--host", "h.example", "--header", "X-Key").code == 0
    kinds = {each["id"]: each["type"] for each in shell("credentials", "ls", "-o", "json").json}
    assert kinds == {"h": "host_scoped", "o": "oauth2", "u": "user_password", "v": "user_password"}


def test_on_a_terminal_they_are_asked_for_without_an_echo(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return "" if "nothing" in prompt else CANARY

    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.setattr("tests.cli.shell.io.StringIO", lambda _: _Terminal())
    answer = shell("credentials", "add", "o", "--type", "oauth2", "--provider", "github")
    assert (answer.code, asked) == (0, ["access_token: ", "refresh_token (or nothing): "])


class _Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "stdin", "code", "words"),
    [
        ((), "", 2, "No api_key was given"),
        (("--type", "user_password"), "ada\n", 2, "No password was given"),
        (("--env", "api_key=NO_SUCH_VARIABLE"), "", 2, "NO_SUCH_VARIABLE of --env api_key is not set"),
        (("--env", "password=HOME"), "", 2, "the secrets of this type are api_key"),
        (("--host", "h.example"), "x", 2, "--type host_scoped"),
        (("--store", "memory:"), "x", 2, "in memory keeps no credentials"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    shell: Shell, options: tuple[str, ...], stdin: str, code: int, words: str
) -> None:
    answer = add(shell, "gh", *options, stdin=stdin)
    assert answer.code == code
    assert words in answer.err
    assert not list(shell.folder.glob("*-credentials"))


def test_what_was_removed_is_gone(shell: Shell) -> None:
    add(shell)
    assert shell("credentials", "rm", "gh").code == 0
    again = shell("credentials", "rm", "gh", "-o", "json")
    assert (again.code, again.error["kind"]) == (7, "not_found")


def test_a_rotation_makes_a_key_and_what_is_left_of_the_old_one_opens_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shell)
    rotated = shell("credentials", "rotate", "new.key", "-o", "json")
    assert (rotated.code, rotated.json["credentials"]) == (0, 1)
    graph = shell.graph(_graph())
    choice = ("--credentials", "github_api_key_credentials=gh")
    refused = shell("run", graph, *choice, "-o", "json")
    assert (refused.code, refused.error["kind"]) == (9, "store")
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_KEY_FILE", "new.key")
    assert shell("run", graph, *choice, "-o", "json").json["outputs"] == {"out": [len(CANARY)]}


def test_a_run_uses_them_and_prints_nothing_of_them(shell: Shell) -> None:
    add(shell)
    answer = shell(
        "run", shell.graph(_graph()), "--credentials", "github_api_key_credentials=gh", "-o", "json"
    )
    assert answer.json["outputs"] == {"out": [len(CANARY)]}
    shown = shell("show", answer.json["id"], "-o", "json")
    assert CANARY not in answer.out + answer.err + shown.out + shell("show", answer.json["id"]).out


def test_those_in_the_environment_serve_as_well(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"type": "api_key", "provider": "github", "api_key": CANARY})
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_GH", text)
    answer = shell(
        "run", shell.graph(_graph()), "--credentials", "github_api_key_credentials=gh", "-o", "json"
    )
    assert answer.json["outputs"] == {"out": [len(CANARY)]}
    assert shell("credentials", "ls", "-o", "ids").ids == ["gh"]


@pytest.mark.parametrize(
    ("choice", "code", "words"),
    [
        ((), 8, "These credentials are required"),
        (("no_such_credentials=gh",), 2, "asks for: github_api_key_credentials"),
        (("gh",), 2, "write KEY=ID"),
        (("github_api_key_credentials=nope",), 7, "no credentials 'nope'"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(
    shell: Shell, choice: tuple[str, ...], code: int, words: str
) -> None:
    options = [part for each in choice for part in ("--credentials", each)]
    answer = shell("run", shell.graph(_graph()), *options)
    assert answer.code == code
    assert words in answer.err


def test_a_wrong_key_is_the_machines_fault(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shell)
    monkeypatch.setenv("ACTBOOK_CREDENTIALS_KEY", generate_key())
    answer = shell("run", shell.graph(_graph()), "--credentials", "github_api_key_credentials=gh")
    assert answer.code == 9
    assert "encrypted with the key" in answer.err


def _graph() -> dict[str, Any]:
    """One node that asks for a GitHub key, and the length of the key comes out."""
    return {
        "id": "asking",
        "nodes": [
            {"id": "a", "block_id": _BLOCK.id, "input_default": {}},
            {
                "id": "out",
                "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4",
                "input_default": {"name": "out"},
            },
        ],
        "links": [
            {"id": "l", "source_id": "a", "source_name": "out", "sink_id": "out", "sink_name": "value"}
        ],
    }
