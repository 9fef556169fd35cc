"""How an AGENT node's sub-graph becomes an execution of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from actbook.actors import _messages as msg
from actbook.actors._credentialed_body import ATTEMPTS
from actbook.actors._credentials_store import CredentialsStoreError
from actbook.actors._environment import Environment
from actbook.actors._execution_log import ExecutionLog
from actbook.actors._runtime import ActorRef
from actbook.events import GraphExecution, NodeExecution
from actbook.graphs import Plan
from actbook.journal import ConflictError, JournalError, UnencodableError

logger = logging.getLogger("actbook.supervisor")


class Launch:
    """Makes sure that a child execution exists and is being run; tells the parent when it does, or why it can't.

    A store that fails is asked again later. `back`: the parent is back in memory under the same owner, so a child that
    exists is looked after.
    """

    def __init__(
        self,
        env: Environment,
        plan: Plan,
        state: GraphExecution,
        node: NodeExecution,
        parent: ActorRef[Any],
        *,
        back: bool = False,
    ) -> None:
        self._env = env
        self._plan = plan
        self._state = state
        self._node = node
        self._number, self._attempt, self._child_id = node.number, node.attempt, node.child_id
        self._parent = parent
        self._back = back
        self._attempts_left = ATTEMPTS

    def begin(self, pause: float = 0.0) -> None:
        """Prepares and submits it in the background, after `pause` seconds."""
        self._env.background(self._begin(pause))

    async def _begin(self, pause: float) -> None:
        if pause:
            await asyncio.sleep(pause)
        try:
            if self._back and await self._env.journal.head(self._child_id):
                self._tell()
                return
            plan, create = await self._env.plans.child_of(self._plan, self._state, self._node)
        except JournalError as error:
            self._again(error)
        except CredentialsStoreError as error:
            self._attempts_left -= 1
            if self._attempts_left:
                self._again(error)
            else:
                self._tell(str(error))
        except Exception as error:
            self._tell(str(error) or type(error).__name__)
        else:
            self._env.submit(msg.Submit(plan, create, self._recorded))

    def _recorded(self, error: Exception | None) -> None:
        if error is None or isinstance(error, ConflictError):
            # On a conflict it was launched before, by this owner or by an earlier one.
            self._tell()
        elif isinstance(error, JournalError) and not isinstance(error, UnencodableError):
            self._again(error)
        else:
            self._tell(str(error) or type(error).__name__)

    def _again(self, error: Exception) -> None:
        if self._state.status.is_terminal:
            self._tell(str(error))
            return
        context, block = self._state.context(self._node), self._plan.nodes[self._node.node_id].block
        log = ExecutionLog.of(logger, "Launch", context, block.name)
        log.error("Sub-graph execution #%s can't begin yet: %s", self._child_id, error)
        self.begin(self._env.timing.retry_after)

    def _tell(self, error: str = "") -> None:
        self._parent.tell_system(msg.Launched(self._number, self._attempt, error))
