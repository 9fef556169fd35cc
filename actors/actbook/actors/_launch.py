"""How an AGENT node's sub-graph becomes an execution of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from actbook.actors import _messages as msg
from actbook.actors._environment import Environment
from actbook.actors._runtime import ActorRef
from actbook.events import GraphExecution, NodeExecution
from actbook.graphs import Plan

_NAMESPACE = UUID("7c8a6f0e-6d0c-5b8e-9f57-3f1d7e3f9a11")


def child_execution_id(parent_id: str, number: int, attempt: int) -> str:
    """The id follows from the attempt of the AGENT node, so launching it again after a crash finds the same execution."""
    return str(uuid5(_NAMESPACE, f"{parent_id}.{number}.{attempt}"))


def launch_child(
    env: Environment, plan: Plan, state: GraphExecution, node: NodeExecution, parent: ActorRef[Any]
) -> None:
    """Makes sure that the child execution exists and is being run; tells the parent when it can't be."""
    number, attempt, child_id = node.number, node.attempt, node.child_id
    beginning = env.plans.child_of(plan, state, node)

    async def launch() -> None:
        try:
            child_plan, create = await beginning
        except ValueError as error:
            parent.tell(msg.ChildUnstartable(number, attempt, str(error) or type(error).__name__))
            return
        env.submit(msg.Submit(child_plan, create, lambda error: env.notify(child_id) if error else None))

    env.background(launch())
