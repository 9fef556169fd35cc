"""Events of money: charges in the stream of the execution that caused them, and what they do to its user's balance.

Both are one atomic write. One balance stream per user; amounts are credits.
"""

from __future__ import annotations

from typing import Any

from actbook.events._topics import Event, topic


def balance_stream(user_id: str) -> str:
    """Stream id of a user's balance."""
    return f"balance:{user_id}"


@topic("usage.charged")
class UsageCharged(Event, frozen=True, array_like=True, gc=False):
    """Something of this execution was charged. `key` is the same however often it is tried, and is charged once.

    `kind`: RUN at the first start of a node execution, SECOND and BYTE after its run, REFUND of what it had cost when the
    tariff says so, EXECUTION for the run as a whole (`node_exec` 0). `matched_filter`: of the cost entry that applied.
    """

    node_exec: int
    kind: str
    amount: float
    matched_filter: dict[str, Any]
    key: str


@topic("balance.charged")
class BalanceCharged(Event, frozen=True, array_like=True, gc=False):
    """A charge left the balance; a refund has a negative amount. `node_exec` 0: the run as a whole."""

    key: str
    kind: str
    amount: float
    execution_id: str
    node_exec: int
    graph_id: str
    block_id: str = ""


@topic("balance.topped_up")
class BalanceToppedUp(Event, frozen=True, array_like=True, gc=False):
    """Credits were added, or with a negative amount taken back. The same `key` counts once."""

    key: str
    amount: float
    reason: str = ""
    actor: str = ""


@topic("balance.notified")
class BalanceNotified(Event, frozen=True, array_like=True, gc=False):
    """A run of this graph lacked credits, and somebody was told; nobody is again before the next top-up."""

    graph_id: str
    execution_id: str
    balance: float
    needed: float


@topic("run.counted")
class RunCounted(Event, frozen=True, array_like=True, gc=False):
    """The user's run number `count` in a row without a pause of a day began."""

    execution_id: str
    count: int
