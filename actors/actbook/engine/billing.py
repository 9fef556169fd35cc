"""Billing: what runs cost, and the policy by which an engine charges them. Without a policy everything is free."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from actbook.events import Account, Tariff, block_usage_cost, execution_usage_cost
from actbook.events._costs import _is_cost_filter_match

__all__ = [
    "Account",
    "Billing",
    "Shortage",
    "Tariff",
    "_is_cost_filter_match",
    "block_usage_cost",
    "execution_usage_cost",
]


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """A run ended because its user lacked credits: `needed` were asked for, `balance` was left."""

    user_id: str
    graph_id: str
    graph_exec_id: str
    needed: float
    balance: float


class Billing(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine charges. Simulated runs and dry runs are free all the same.

    - `tariff`: what is charged besides the costs that blocks declare
    - `notify`: told of the first shortage per user and graph until the next top-up, when it is recorded; at most once, as a
      crash in between loses the call and not the record. May be a coroutine function; what it raises is logged.
    """

    tariff: Tariff = Tariff()
    notify: Callable[[Shortage], Awaitable[object] | object] | None = None
