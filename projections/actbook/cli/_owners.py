"""Who runs a store, found out without becoming part of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from actbook.journal import OwnerInfo


def owner_of(path: Path) -> OwnerInfo | None:
    """The process that holds the owner's lock beside the store file; None when nobody does. Raises `OSError`."""
    lock = Path(f"{os.path.realpath(path)}-owner")
    try:
        file = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    else:
        return None
    finally:
        os.close(file)


def _read(file: int) -> OwnerInfo | None:
    try:
        return msgspec.json.decode(os.read(file, 4096), type=OwnerInfo)
    except msgspec.DecodeError:
        return None
