"""The package in `examples/block-package`, as an environment sees it that it is installed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[2] / "examples" / "block-package"
PROJECT: dict[str, Any] = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder on the path with the package and the metadata that an installer makes of its `pyproject.toml`."""
    site = tmp_path / "site"
    info = site / f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n", "utf-8"
    )
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in PROJECT["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups), "utf-8")
    (site / "shop_blocks").symlink_to(PACKAGE / "src" / "shop_blocks")
    return site


def python(*arguments: str, site: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_line_finds_its_blocks(installed: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.txt"
    inputs = ["Prices:=[10, 2.5]", "Order=A-17", f"Ledger={ledger}"]
    options = [word for each in inputs for word in ("--input", each)]
    graph = str(PACKAGE / "invoice.json")
    ran = python(
        "-m", "actbook.cli", "run", graph, *options, "--store", "memory:", "-o", "json",
        site=installed, folder=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    outputs = json.loads(ran.stdout)["outputs"]
    assert outputs["Total"] == [15.0]
    assert outputs["Booked"] == [ledger.read_text("utf-8").rstrip("\n")]


def test_without_it_the_command_line_names_what_is_missing(tmp_path: Path) -> None:
    graph = str(PACKAGE / "invoice.json")
    ran = python("-m", "actbook.cli", "run", graph, "--store", "memory:", site=tmp_path, folder=tmp_path)
    assert ran.returncode == 8
    assert "2 blocks of the graph are not installed: block 6d0f0a3e, block b8f6e1c9" in ran.stderr


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    tests = str(PACKAGE / "tests")
    ran = python("-m", "pytest", "-q", "-p", "no:cacheprovider", tests, site=installed, folder=tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout
