"""A user's account: what is left, how many runs there were, and whom they concern. Folded from the balance stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from actbook.events._billing_events import BalanceCharged, BalanceNotified, BalanceToppedUp, RunCounted
from actbook.events._topics import Event

DAY = 24 * 3600 * 1_000_000
"""Microseconds after the last run until the count of runs begins anew."""


class Account(msgspec.Struct):
    """State of one balance stream. `last_run_at`: µs since the Unix epoch, UTC; 0 = never.

    `top_ups`: amount by key. `notified`: graphs whose lack of credits was told since the last top-up. `charged`: the sum of
    all charges less refunds; `balance` may be below zero, as use is charged that had not been known beforehand.
    """

    user_id: str = ""
    balance: float = 0.0
    charged: float = 0.0
    count: int = 0
    last_run_at: int = 0
    top_ups: dict[str, float] = {}
    notified: dict[str, None] = {}

    def next_count(self, at: int) -> int:
        """The number of a run that begins at `at`."""
        return 1 if at - self.last_run_at >= DAY else self.count + 1

    def apply(self, event: Event, at: int) -> None:
        """Folds one event. A top-up that is known by its key changes nothing; what is no event of a balance neither."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event, at)

    def take_back(self, event: Event) -> None:
        """Undoes an event that was decided and could not be recorded; events behind it may have been."""
        if isinstance(event, BalanceCharged):
            self.balance += event.amount
            self.charged -= event.amount
        elif isinstance(event, BalanceNotified):
            self.notified.pop(event.graph_id, None)
        elif isinstance(event, RunCounted) and self.count:
            self.count -= 1

    def encode(self) -> bytes:
        """Snapshot bytes (MessagePack)."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Account:
        """Account from snapshot bytes."""
        return msgspec.msgpack.decode(data, type=cls)


def _charged(account: Account, event: BalanceCharged, at: int) -> None:
    account.balance -= event.amount
    account.charged += event.amount


def _topped_up(account: Account, event: BalanceToppedUp, at: int) -> None:
    if event.key not in account.top_ups:
        account.top_ups[event.key] = event.amount
        account.balance += event.amount
        account.notified.clear()


def _notified(account: Account, event: BalanceNotified, at: int) -> None:
    account.notified[event.graph_id] = None


def _counted(account: Account, event: RunCounted, at: int) -> None:
    account.count = event.count
    account.last_run_at = max(account.last_run_at, at)


_HANDLERS: dict[type[Event], Callable[[Account, Any, int], None]] = {
    BalanceCharged: _charged,
    BalanceToppedUp: _topped_up,
    BalanceNotified: _notified,
    RunCounted: _counted,
}
