"""Whether a submission under a known idempotency key is the one that was recorded."""

from __future__ import annotations

from typing import Any

import msgspec

from actbook.engine._errors import IdempotencyKeyError
from actbook.events import Create, GraphExecution
from actbook.graphs import Plan


def check_repetition(recorded: GraphExecution, plan: Plan, create: Create, version: int | None) -> None:
    """Raises `IdempotencyKeyError` when something else was asked for then. `version`: the graph version, if it was named."""
    key = create.idempotency_key
    if key is None:
        return
    compared = {
        "graph": (recorded.graph_id, plan.graph_id),
        "graph version": (recorded.graph_version, version or recorded.graph_version),
        "inputs": (recorded.inputs, create.inputs),
        "credentials": (recorded.credential_inputs, create.credential_inputs),
        "node masks": (recorded.masks, create.masks),
    }
    different = [name for name, (then, now) in compared.items() if not _same(then, now)]
    if different:
        raise IdempotencyKeyError(key, recorded.id, different)


def _same(recorded: Any, given: Any) -> bool:
    """As the given value would be read back once it was recorded."""
    return bool(recorded == given or recorded == msgspec.msgpack.decode(msgspec.msgpack.encode(given)))
