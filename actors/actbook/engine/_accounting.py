"""What an engine offers about balances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from uuid import uuid4

from actbook.engine._account_store import AccountStore
from actbook.engine._errors import EngineClosedError, TopUpError

if TYPE_CHECKING:
    from actbook.engine._host import Host
    from actbook.events import Account, Envelope


class Accounting:
    """Part of `Engine`. Balances are there whether or not this engine charges; amounts are credits."""

    _host: Host

    async def account(self, user_id: str) -> Account:
        """What is recorded of a user's account: balance, charges, count of runs. A user without one has nothing."""
        return await self._accounts().read(user_id)

    async def balance(self, user_id: str) -> float:
        """What is left, as recorded. Below zero when use that was not known beforehand went beyond it."""
        return (await self.account(user_id)).balance

    async def top_up(
        self, user_id: str, amount: float, reason: str = "", *, key: str | None = None, actor: str = ""
    ) -> float:
        """Adds credits, durably, and returns the balance; a negative amount takes some back.

        The same `key` of the same user counts once; without one each call counts. Raises `TopUpError`.
        """
        if not math.isfinite(amount) or amount == 0:
            raise TopUpError(user_id, key or "", amount)
        store, host = self._accounts(), self._host
        event = await store.top_up(user_id, amount, key or str(uuid4()), reason, actor or user_id)
        if host.accounts is not None:
            host.accounts.topped_up(user_id, event)
        return (await store.read(user_id)).balance

    async def balance_history(self, user_id: str) -> list[Envelope]:
        """Top-ups, charges, notifications and counted runs of a user, oldest first."""
        return await self._accounts().events(user_id)

    def _accounts(self) -> AccountStore:
        if self._host.closed:
            raise EngineClosedError
        return AccountStore(self._host.journal)
