"""How an AGENT node's sub-graph becomes an execution of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID, uuid5

from actbook.actors import _messages as msg
from actbook.actors._environment import Environment
from actbook.actors._runtime import ActorRef
from actbook.events import GraphExecution, NodeExecution
from actbook.graphs import Plan
from actbook.journal import ConflictError, JournalError, UnencodableError

logger = logging.getLogger("actbook.supervisor")

_NAMESPACE = UUID("7c8a6f0e-6d0c-5b8e-9f57-3f1d7e3f9a11")


def child_execution_id(parent_id: str, number: int, attempt: int) -> str:
    """The id follows from the attempt of the AGENT node, so launching it again after a crash finds the same execution."""
    return str(uuid5(_NAMESPACE, f"{parent_id}.{number}.{attempt}"))


def launch_child(
    env: Environment, plan: Plan, state: GraphExecution, node: NodeExecution, parent: ActorRef[Any]
) -> None:
    """Makes sure that the child execution exists and is being run; tells the parent when it does, or can't be.

    A store that fails is asked again later.
    """
    number, attempt, child_id = node.number, node.attempt, node.child_id

    def unstartable(error: Exception) -> None:
        parent.tell_system(msg.Launched(number, attempt, str(error) or type(error).__name__))

    async def launch(pause: float = 0.0) -> None:
        await asyncio.sleep(pause)
        try:
            child_plan, create = await env.plans.child_of(plan, state, node)
        except JournalError as error:
            again(error)
        except Exception as error:
            unstartable(error)
        else:
            env.submit(msg.Submit(child_plan, create, recorded))

    def recorded(error: Exception | None) -> None:
        if isinstance(error, ConflictError):
            env.notify(child_id)
        elif isinstance(error, UnencodableError):
            unstartable(error)
            return
        elif error is not None:
            again(error)
            return
        parent.tell_system(msg.Launched(number, attempt))

    def again(error: Exception) -> None:
        logger.error("Sub-graph execution #%s can't begin yet: %s", child_id, error)
        env.background(launch(env.timing.retry_after))

    env.background(launch())
