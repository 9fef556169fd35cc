"""The how-to about NATS does what it says, beside a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.bridge.nats_kit import tenant
from tests.docs.snippets import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "nats.md"
_URL = "nats://127.0.0.1:4222"


def test_the_page_publishes_relays_and_listens(nats_url: str, tmp_path: Path) -> None:
    bus = f"{nats_url}?tenant={tenant()}"
    run = [block for block in blocks(PAGE.read_text("utf-8")) if block.not_run and _URL in block.text]
    printed = []
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in run:
        text = block.text.replace(_URL, bus if block.language == "python" else f"'{bus}'")
        command = [sys.executable, "-c", text] if block.language == "python" else ["sh", "-ec", text]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    publish, _, listen = printed
    assert publish == "0 events to go\n"
    assert listen.splitlines()[-1].endswith("execution.completed ada")
