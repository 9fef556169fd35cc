"""The command line as tests call it: in this process, or as one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from tests.cli import graphs

from actbook.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The object on stderr."""
        found: dict[str, Any] = json.loads(self.err)["error"]
        return found

    @property
    def ids(self) -> list[str]:
        return self.out.split()


class Shell:
    """`folder` is the current one."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._captured = captured

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        """Runs a command in this process."""
        before = sys.stdin
        sys.stdin = io.StringIO(stdin)
        try:
            code = main(arguments)
        finally:
            sys.stdin = before
        out, err = self._captured.readouterr()
        return Answer(code, out, err)

    def graph(self, document: dict[str, Any]) -> str:
        """The path of a graph's file in the folder."""
        return graphs.write(self.folder, document)

    def run(self, document: dict[str, Any], *arguments: str) -> Any:
        """The execution of a graph, as `run -o json` prints it."""
        return self("run", self.graph(document), *arguments, "-o", "json").json

    def start(self, *arguments: str, **environment: str) -> Process:
        """Runs a command in a process of its own."""
        return Process(arguments, {**os.environ, **environment}, self.folder)


class Process:
    """A command that runs beside the test."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "actbook.cli", *arguments],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str) -> str:
        """Reads stderr until a line with the text comes."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if text in line:
                return line
        raise AssertionError(f"it ended without saying {text!r}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def answer(self) -> Answer:
        """Waits for its end."""
        out, err = self._process.communicate(timeout=30)
        return Answer(self._process.returncode, out, err)
