"""Actors: the runtime, and the supervisor, graph execution and node execution actors that run graphs on it."""

from actbook.actors._alarms import Alarms
from actbook.actors._bodies import (
    Bodies,
    Capacity,
    NoSlotError,
    UnrecordableError,
    stop_requested,
    wait_for_stop,
)
from actbook.actors._cashier import Cashier
from actbook.actors._claims import Claims, Everything
from actbook.actors._environment import Environment, Plans, Timing, wall_clock
from actbook.actors._execution_ids import child_execution_id
from actbook.actors._execution_log import ExecutionLog, structured_logs
from actbook.actors._graph_execution import GraphExecutionActor
from actbook.actors._loading import load_state
from actbook.actors._messages import Notify, Submit
from actbook.actors._node_execution import NodeExecutionActor
from actbook.actors._past import is_root_terminated, read_failed
from actbook.actors._progress import CancellationTimeoutError, NodeExecutionProgress
from actbook.actors._runtime import (
    Actor,
    ActorError,
    ActorRef,
    ActorStoppedError,
    ActorSystem,
    AskTimeoutError,
    BlockingAskError,
    ChildFailed,
    ChildRestarted,
    ChildStopped,
    DeadLetter,
    Dispatcher,
    Future,
    LivelockError,
    LoopDispatcher,
    ManualDispatcher,
    NameTakenError,
    NoSystemError,
    PoolDispatcher,
    Stop,
    SupervisionPolicy,
    SystemStoppedError,
    TimerHandle,
    UnsupportedAwaitError,
    WrongThreadError,
)
from actbook.actors._submission_error import SubmissionError
from actbook.actors._supervisor import Supervisor

__all__ = [
    "Actor",
    "ActorError",
    "ActorRef",
    "ActorStoppedError",
    "ActorSystem",
    "Alarms",
    "AskTimeoutError",
    "BlockingAskError",
    "Bodies",
    "CancellationTimeoutError",
    "Capacity",
    "Cashier",
    "ChildFailed",
    "ChildRestarted",
    "ChildStopped",
    "Claims",
    "DeadLetter",
    "Dispatcher",
    "Environment",
    "Everything",
    "ExecutionLog",
    "Future",
    "GraphExecutionActor",
    "LivelockError",
    "LoopDispatcher",
    "ManualDispatcher",
    "NameTakenError",
    "NoSlotError",
    "NoSystemError",
    "NodeExecutionActor",
    "NodeExecutionProgress",
    "Notify",
    "Plans",
    "PoolDispatcher",
    "Stop",
    "SubmissionError",
    "Submit",
    "SupervisionPolicy",
    "Supervisor",
    "SystemStoppedError",
    "TimerHandle",
    "Timing",
    "UnrecordableError",
    "UnsupportedAwaitError",
    "WrongThreadError",
    "child_execution_id",
    "is_root_terminated",
    "load_state",
    "read_failed",
    "stop_requested",
    "structured_logs",
    "wait_for_stop",
    "wall_clock",
]
