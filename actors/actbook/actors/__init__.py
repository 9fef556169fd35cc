"""Actors: the runtime, and the supervisor, graph execution and node execution actors that run graphs on it."""

from actbook.actors._bodies import Bodies, Capacity, stop_requested, wait_for_stop
from actbook.actors._environment import Environment, Plans, Timing, wall_clock
from actbook.actors._graph_execution import GraphExecutionActor
from actbook.actors._launch import child_execution_id
from actbook.actors._loading import load_state
from actbook.actors._messages import Notify, Submit
from actbook.actors._node_execution import NodeExecutionActor
from actbook.actors._runtime import (
    Actor,
    ActorRef,
    ActorSystem,
    Dispatcher,
    LoopDispatcher,
    ManualDispatcher,
    PoolDispatcher,
    SupervisionPolicy,
)
from actbook.actors._supervisor import Supervisor

__all__ = [
    "Actor",
    "ActorRef",
    "ActorSystem",
    "Bodies",
    "Capacity",
    "Dispatcher",
    "Environment",
    "GraphExecutionActor",
    "LoopDispatcher",
    "ManualDispatcher",
    "NodeExecutionActor",
    "Notify",
    "Plans",
    "PoolDispatcher",
    "Submit",
    "SupervisionPolicy",
    "Supervisor",
    "Timing",
    "child_execution_id",
    "load_state",
    "stop_requested",
    "wait_for_stop",
    "wall_clock",
]
