"""A command on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import NamedTuple


class Shown(NamedTuple):
    """Everything that was written to the terminal."""

    code: int
    text: str


def on_terminal(
    folder: Path, *arguments: str, rows: int = 30, columns: int = 100, **environment: str
) -> Shown:
    """Runs a command with a terminal as stdin, stdout and stderr."""
    sizeless = {name: value for name, value in os.environ.items() if name not in ("LINES", "COLUMNS")}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "actbook.cli", *arguments],
        cwd=folder,
        env={**sizeless, "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    parts: list[bytes] = []
    while part := _read(ours):
        parts.append(part)
    os.close(ours)
    return Shown(process.wait(), b"".join(parts).decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""
