"""Every snippet of the README and the docs runs, and prints what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.snippets import PAGES, ROOT, Snippet, agrees, page_name, snippets

_STORIES = {page_name(page): found for page in PAGES if (found := snippets(page.read_text("utf-8")))}
_STORES = {"docs/how-to/keep-runs-in-postgresql.md": "postgres_url"}
"""Fixtures with the URL of the server that a page takes for granted."""
_BROKERS = {"docs/how-to/rabbitmq.md": "amqp_url"}
"""The same for brokers."""


@pytest.mark.parametrize("page", _STORIES)
def test_the_snippets_of_a_page_do_what_it_says(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = request.getfixturevalue(_STORES[page]) if page in _STORES else ""
    settings = {"ACTBOOK_STORE": store} if store else {}
    if page in _BROKERS:
        settings["ACTBOOK_BROKER"] = request.getfixturevalue(_BROKERS[page])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for snippet in _STORIES[page]:
        _play(page, snippet, tmp_path, settings)


def _play(page: str, snippet: Snippet, folder: Path, settings: dict[str, str]) -> None:
    if snippet.file is not None:
        (folder / snippet.file).write_text(snippet.text, "utf-8")
        return
    if snippet.language == "sh":
        command = ["sh", "-e", "-c", snippet.text]
    else:
        program = folder / f"line_{snippet.line}.py"
        program.write_text(snippet.text, "utf-8")
        command = [sys.executable, program.name]
    environment = {**_environment(), **settings}
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    where = f"{page}, line {snippet.line}"
    assert ran.returncode == 0, f"{where} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
    if snippet.printed is not None:
        assert agrees(snippet.printed, ran.stdout), f"{where} prints:\n{ran.stdout}{ran.stderr}"


def _environment() -> dict[str, str]:
    """As a reader has it: the installed commands first, no settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACTBOOK_", "PYTHON"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "COLUMNS": "200", "PYTHONWARNINGS": "error"}


def test_an_ellipsis_stands_for_what_differs() -> None:
    assert agrees("a … c\n…\nz\n", "a b c\nd\ne\nz\n")
    assert agrees("…\nz\n", "z\n")
    assert not agrees("a … c\n", "a b d\n")
    assert not agrees("a\n", "a\nb\n")
    assert not agrees("a\nb\n", "a\n")


def test_blocks_are_cut_and_joined_as_the_convention_says() -> None:
    page = (
        "```python\n# one.py\nx = 1\n```\n```sh\npython one.py\n```\n\n```text\n1\n```\n"
        "<!-- not run: takes long -->\n```sh\nmake\n```\nprose\n```text\n2\n```\n"
    )
    found = snippets(page)
    assert [(each.language, each.file, each.printed) for each in found] == [
        ("python", "one.py", None),
        ("sh", None, "1\n"),
    ]
