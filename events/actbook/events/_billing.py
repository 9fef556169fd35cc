"""What a graph execution is charged: decisions of the Decider that has a `Meter`, and none without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from actbook.events import _commands as cmd
from actbook.events import _node_events as nx
from actbook.events._account import Account
from actbook.events._billing_events import BalanceCharged, BalanceNotified, RunCounted, UsageCharged
from actbook.events._costs import (
    EXECUTION_PRICE,
    EXECUTION_THRESHOLD,
    amount_of,
    execution_usage_cost,
    matching_cost,
)
from actbook.events._envelope import Draft
from actbook.events._state import GraphExecution, NodeExecution, node_exec_id
from actbook.events._topics import Event
from actbook.graphs import BlockCost, CostType

if TYPE_CHECKING:
    from actbook.events._course import Course

BILLING_ACTOR = "billing"
"""Who ends a run that can't be paid."""

TOO_LITTLE_TO_BEGIN = (
    "Insufficient balance: a run begins with at least {needed:.15g} credits, and {balance:.15g} are left."
    " Top up the balance and run it again."
)
TOO_LITTLE_TO_START = (
    "Insufficient balance: {block} costs {needed:.15g} credits, and {balance:.15g} are left."
    " Top up the balance and run it again."
)
TOO_LITTLE_FOR_USE = (
    "Insufficient balance: {block} used {needed:.15g} credits, and {balance:.15g} were left."
    " Top up the balance and run it again."
)

FailedCharge = Literal["used", "run", "refund"]


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """What is charged besides the costs that blocks declare; amounts in credits.

    - `minimum`: a run begins only with that much on the balance
    - `execution_price`: charged for each `execution_threshold`-th run of a user in a row; a threshold of 0 counts no runs
    - `failed`: a node execution that fails is charged for its start and for what it used ("used"), for its start alone
      ("run"), or gets back what it was charged ("refund"). One that is stopped is charged for its start alone.
    """

    minimum: float = 1
    execution_price: float = EXECUTION_PRICE
    execution_threshold: int = EXECUTION_THRESHOLD
    failed: FailedCharge = "used"

    def __post_init__(self) -> None:
        if self.failed not in get_args(FailedCharge):
            known = ", ".join(get_args(FailedCharge))
            raise ValueError(f"A tariff's `failed` can't be {self.failed!r}: use one of {known}.")
        if self.execution_threshold < 0:
            raise ValueError("A tariff's `execution_threshold` can't be negative: 0 counts no runs.")


class Meter:
    """Charges one graph execution to its user's account, which the other executions of that user share.

    The account is debited as soon as a charge is decided, so no credit is spent twice. `postings` are the drafts for the
    balance stream: who appends the events empties them into the same atomic write. `shortage`: why the run has to end.
    """

    def __init__(self, tariff: Tariff, account: Account) -> None:
        self.tariff = tariff
        self.account = account
        self.postings: list[Draft] = []
        self.shortage = ""
        self._due: BlockCost | None = None

    def take_shortage(self) -> str:
        """The shortage, which is dealt with now."""
        text, self.shortage = self.shortage, ""
        return text

    def admit(self, decider: Course) -> bool:
        """Counts a run that begins, or has it end before any node runs. One that goes on was counted before."""
        state, account, tariff = decider.state, self.account, self.tariff
        if state.started_at:
            return True
        count = account.next_count(decider.at)
        price = self._price_of(count)
        needed = max(tariff.minimum, price)
        if account.balance < needed:
            self._lack(decider, TOO_LITTLE_TO_BEGIN, "", needed)
            return False
        if tariff.execution_threshold:
            self._post(decider, RunCounted(state.id, count))
        if price:
            self._charge(decider, None, "EXECUTION", price, {"execution_count": count})
        return True

    def affords(self, decider: Course, node: NodeExecution) -> bool:
        """Whether a node execution may start; otherwise it has FAILED, and the run will."""
        self._due = None
        if "RUN" in node.charged:
            return True
        block = decider.plan.nodes[node.node_id].block
        entry = matching_cost(block, node.data)
        if entry is None or entry.cost_amount <= 0:
            return True
        balance = self.account.balance
        if entry.cost_type is CostType.RUN:
            if self._is_gated(decider.state, node, block):
                return True
            if balance >= entry.cost_amount:
                self._due = entry
                return True
        elif balance > 0:
            return True
        text = self._lack(decider, TOO_LITTLE_TO_START, block.name, entry.cost_amount)
        self._fail(decider, node, nx.NodeFailed(node.number, text, (("error", text),)))
        return False

    def started(self, decider: Course, node: NodeExecution) -> None:
        """Charges the start that it was asked about, once however many attempts the node execution takes."""
        entry, self._due = self._due, None
        if entry is not None:
            self._charge(decider, node, "RUN", entry.cost_amount, entry.cost_filter)

    def completed(self, decider: Course, node: NodeExecution, report: cmd.Report) -> bool:
        """Charges what a node execution used. False: more than was left, so it FAILED instead, and the run will."""
        lack = self._use(decider, node, report.stats)
        if lack is None or decider.state.stopping is not None:
            return True
        block = decider.plan.nodes[node.node_id].block
        text = self._lack(decider, TOO_LITTLE_FOR_USE, block.name, *lack)
        decider.record_outputs(node, report.outputs, node.cause)
        self._fail(decider, node, nx.NodeFailed(node.number, text, (("error", text),), report.stats))
        return False

    def failed(self, decider: Course, node: NodeExecution, stats: nx.NodeStats) -> None:
        """Charges a node execution that fails, or pays back, as the tariff says."""
        policy = self.tariff.failed
        if policy == "refund" and node.cost:
            self._charge(decider, node, "REFUND", -node.cost, {})
        elif policy == "used":
            lack = self._use(decider, node, stats)
            if lack is not None and decider.state.stopping is None:
                block = decider.plan.nodes[node.node_id].block
                self._lack(decider, TOO_LITTLE_FOR_USE, block.name, *lack)

    def _use(self, decider: Course, node: NodeExecution, stats: nx.NodeStats) -> tuple[float, float] | None:
        """Charges time or bytes, also below zero: they are used. What that was and what was left, if less."""
        if "RUN" in node.charged:
            return None
        entry = matching_cost(decider.plan.nodes[node.node_id].block, node.data)
        if entry is None or entry.cost_type is CostType.RUN:
            return None
        size = stats.input_bytes + stats.output_bytes
        # What earlier attempts took is in the state.
        amount = amount_of(entry, size, node.wall + stats.wall)
        balance = self.account.balance
        if amount:
            self._charge(decider, node, entry.cost_type.value, amount, entry.cost_filter)
        return (amount, balance) if amount > balance else None

    def _price_of(self, count: int) -> float:
        tariff = self.tariff
        if not tariff.execution_threshold:
            return 0
        threshold, price = tariff.execution_threshold, tariff.execution_price
        return execution_usage_cost(count, threshold=threshold, price=price)[0]

    @staticmethod
    def _is_gated(state: GraphExecution, node: NodeExecution, block: Any) -> bool:
        """Its start only asks a person: it is charged when it starts again, approved."""
        if not (block.is_sensitive_action and state.settings.sensitive_action_safe_mode):
            return False
        return node.review is None or not node.review.approved

    def _lack(
        self, decider: Course, text: str, block: str, needed: float, balance: float | None = None
    ) -> str:
        """Notes that the run can't be paid; somebody is told once per graph until the next top-up."""
        left = self.account.balance if balance is None else balance
        self.shortage = text.format(block=block, needed=needed, balance=left)
        state = decider.state
        if state.graph_id not in self.account.notified:
            self._post(decider, BalanceNotified(state.graph_id, state.id, left, float(needed)))
        return self.shortage

    @staticmethod
    def _fail(decider: Course, node: NodeExecution, failed: nx.NodeFailed) -> None:
        """Its own `error` goes no further, as nothing starts any more; what it held back of later ones does."""
        released = decider.emit(failed, node.cause)
        decider.spread([pair for pair in released if pair[0] is not node])

    def _charge(
        self,
        decider: Course,
        node: NodeExecution | None,
        kind: str,
        amount: float,
        matched: Mapping[str, Any],
    ) -> None:
        state = decider.state
        number = node.number if node else 0
        key = f"{node_exec_id(state.id, number) if node else state.id}:{kind}"
        charged = UsageCharged(number, kind, float(amount), dict(matched), key)
        decider.emit(charged, node.cause if node else state.version)
        block_id = node.block_id if node else ""
        self._post(
            decider, BalanceCharged(key, kind, float(amount), state.id, number, state.graph_id, block_id)
        )

    def _post(self, decider: Course, event: Event) -> None:
        self.account.apply(event, decider.at)
        self.postings.append(Draft(event, decider.at))


def fail_rest(decider: Course, reason: str) -> None:
    """Ends as FAILED, with the same error, what has not run in a run that can't be paid."""
    state = decider.state
    for number in tuple(state.reviews):
        review = state.node_executions[number].review
        data = review.data if review else None
        decider.emit(nx.NodeReviewDecided(number, False, data, reason, BILLING_ACTOR))
        decider.spread(decider.emit(nx.NodeFailed(number, reason)))
    while state.ready:
        decider.spread(decider.emit(nx.NodeFailed(next(iter(state.ready)), reason)))
