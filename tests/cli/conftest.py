"""Calling the command line in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """In an empty folder, with the store `sqlite:///store.db` there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACTBOOK_STORE", f"sqlite:///{tmp_path}/store.db")
    for name in ("NO_COLOR", "COLUMNS", "LINES", "ACTBOOK_DEBUG", "ACTBOOK_LOG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Shell(tmp_path, capfd)
