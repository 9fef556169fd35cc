"""Ids of the executions of sub-graphs: those of one parent stand beside each other in every index.

Random ones would make a commit about many of them touch as many pages as they are. The parent's own id begins differently, so
that its first characters go on meaning it alone.
"""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("7c8a6f0e-6d0c-5b8e-9f57-3f1d7e3f9a11")
_SHARED = 13
"""Characters that the children of one parent have in common: 48 bits."""


def child_execution_id(parent_id: str, number: int, attempt: int) -> str:
    """The id follows from the attempt of the AGENT node, so launching it again after a crash finds the same execution."""
    family = str(uuid5(_NAMESPACE, parent_id))
    own = str(uuid5(_NAMESPACE, f"{parent_id}.{number}.{attempt}"))
    return family[:_SHARED] + own[_SHARED:]
