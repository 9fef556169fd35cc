"""Files that a command writes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from actbook.cli._problems import MachineError


def write_whole(path: Path | None, pieces: Iterable[bytes]) -> None:
    """Writes a file, which is there only when it is whole; None is the standard output. Blocks. Raises `MachineError`."""
    if path is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise MachineError(f"{path} can't be written: {error.strerror}. Name another file.") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
