"""A process that dies while executions leave or come back loses nothing and repeats nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.replay.evidence import fill

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0


@pytest.mark.parametrize("what", ["archive", "restore"])
def test_dying_at_any_point_leaves_all_of_it_here_or_there(tmp_path: Path, what: str) -> None:
    fill(tmp_path / "store.db")
    command = [
        sys.executable,
        "-m",
        "tests.replay.archive_crash",
        str(tmp_path / "store.db"),
        "one.archive",
        what,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15
