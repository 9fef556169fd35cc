"""Whether what a line of an export says for readers agrees with the recorded bytes."""

from __future__ import annotations

from typing import Any

from actbook.journal import Row
from actbook.journal._sealing import SEALED, key_id_of


def agrees(row: Row, recorded: Any, said: Any) -> bool:
    """`recorded`: what the bytes tell without a key. Of sealed values nothing is known but their places."""
    return bool(recorded == said) or (key_id_of(row.state) is not None and _fits(recorded, said))


def _fits(recorded: Any, said: Any) -> bool:
    if recorded == SEALED:
        return True
    if isinstance(recorded, dict) and isinstance(said, dict):
        return recorded.keys() == said.keys() and all(_fits(recorded[name], said[name]) for name in recorded)
    if isinstance(recorded, list) and isinstance(said, list):
        return len(recorded) == len(said) and all(map(_fits, recorded, said))
    return bool(recorded == said)
