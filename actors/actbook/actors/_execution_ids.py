"""Ids of executions: those of one time, and of one family, stand beside each other in every index.

Random ones would make each commit touch as many pages as there are executions in it.
"""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from actbook.journal import new_event_id

_NAMESPACE = UUID("7c8a6f0e-6d0c-5b8e-9f57-3f1d7e3f9a11")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHARED = 13
"""Characters: the 48 bits of time."""


def new_execution_id() -> str:
    """A UUID of version 7, rising within a process."""
    return str(UUID(bytes=new_event_id()))


def child_execution_id(parent_id: str, number: int, attempt: int) -> str:
    """The id follows from the attempt of the AGENT node, so launching it again after a crash finds the same execution."""
    own = str(uuid5(_NAMESPACE, f"{parent_id}.{number}.{attempt}"))
    return parent_id[:_SHARED] + own[_SHARED:] if _UUID.fullmatch(parent_id) else own
