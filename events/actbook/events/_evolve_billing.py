"""How charges change the state of the execution that caused them."""

from __future__ import annotations

from actbook.events._billing_events import UsageCharged
from actbook.events._folding import Handlers
from actbook.events._state import GraphExecution

BILLING_HANDLERS = Handlers()


@BILLING_HANDLERS.on(UsageCharged)
def _charged(state: GraphExecution, event: UsageCharged, at: int) -> None:
    state.stats.cost += event.amount
    node = state.node_executions.get(event.node_exec)
    if node is not None:
        node.cost += event.amount
        node.charged = (*node.charged, event.kind)
