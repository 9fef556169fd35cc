"""What a block counts about its own work, beside its outputs: tokens, rows, calls."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

Counter = Callable[[str, Any], None]


def _uncounted(name: str, value: Any) -> None:
    """Outside a run there is nobody to tell."""


counter_for_run: ContextVar[Counter] = ContextVar("actbook_counter", default=_uncounted)


def count(name: str, value: Any) -> None:
    """Adds to the statistics of the node execution whose body calls this, from any thread of its own context.

    Numbers add up, dicts are updated, lists extended, anything else takes the place of what was there; None never does.
    Outside a body it has no effect. Raises `ValueError` for a value that can't be recorded.
    """
    counter_for_run.get()(name, value)
