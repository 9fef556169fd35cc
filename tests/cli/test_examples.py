"""Every example graph runs, and the demo too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

DRINKS = ["espresso", "cappuccino", "green tea", "flat white", "hot chocolate"]

EXPECTED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "temperature": (["--input", "Celsius=21"], {"Fahrenheit": [70]}),
    "greeting": (["--input", "Name=Ada", "--input", "Hour=15"], {"Greeting": ["Good day, Ada!"]}),
    "support-reply": (
        [
            "--input",
            "Message=Where is it?",
            "--simulate-file",
            str(graphs.EXAMPLES / "support-reply.simulation.json"),
        ],
        {"Reply": ["We are sorry. A new parcel leaves today."], "Action": ["call back today"]},
    ),
    "refund": (["--input", "Amount=12"], {}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_gives_what_it_promises(shell: Shell, name: str) -> None:
    arguments, outputs = EXPECTED[name]
    answer = shell("run", str(graphs.EXAMPLES / f"{name}.json"), *arguments, "-o", "json")
    assert answer.json["outputs"] == outputs
    assert answer.json["status"] == ("REVIEW" if name == "refund" else "COMPLETED")


def test_the_coffee_bar_serves_every_order_once(shell: Shell) -> None:
    orders = "Orders:=" + str([{"drink": drink, "seconds": 0} for drink in DRINKS]).replace("'", '"')
    record = shell("run", str(graphs.EXAMPLES / "coffee-bar.json"), "--input", orders, "-o", "json").json
    assert len(record["outputs"]["Ready"]) == 5
    (tray,) = record["outputs"]["Tray"]
    assert sorted(tray) == sorted(DRINKS)
    assert record["stats"]["node_exec_count"] == 47


def test_all_examples_are_tested_and_drawn(shell: Shell) -> None:
    names = {path.stem for path in graphs.EXAMPLES.glob("*.json")} - {"support-reply.simulation"}
    assert names == {*EXPECTED, "coffee-bar"}
    for name in names:
        assert shell("graph", str(graphs.EXAMPLES / f"{name}.json")).code == 0


SHIM = """#!/bin/sh
case "$1 $2" in
  run*coffee-bar.json) set -- "$@" --input 'Orders:=[{"drink": "tea", "seconds": 0}]';;
esac
exec "{python}" -m actbook.cli "$@"
"""


def test_the_demo_runs_without_a_terminal(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "actbook").write_text(SHIM.replace("{python}", sys.executable))
    (tools / "actbook").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    script = graphs.EXAMPLES.parent / "demo.sh"
    shell = shutil.which("sh") or "/bin/sh"
    ended = subprocess.run([shell, str(script)], env=environment, capture_output=True, text=True, check=True)
    assert 'Tray: ["tea"]' in ended.stdout
    assert "Greeting: Good day, Ada!" in ended.stdout
    assert "7 of 7 streams are sound" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr
