"""Real pykka actors on our own dispatchers: one asyncio loop, a pool of threads, or by hand in tests."""

from actbook.actors._runtime._actor import Actor
from actbook.actors._runtime._dispatcher import Dispatcher, TimerHandle
from actbook.actors._runtime._errors import (
    ActorError,
    ActorStoppedError,
    AskTimeoutError,
    BlockingAskError,
    LivelockError,
    NameTakenError,
    NoSystemError,
    SystemStoppedError,
    UnsupportedAwaitError,
    WrongThreadError,
)
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._loop import LoopDispatcher
from actbook.actors._runtime._manual import ManualDispatcher
from actbook.actors._runtime._messages import ChildFailed, ChildRestarted, ChildStopped, DeadLetter, Stop
from actbook.actors._runtime._pool import PoolDispatcher
from actbook.actors._runtime._ref import ActorRef
from actbook.actors._runtime._supervision import GiveUp, Restart, RestartHistory, SupervisionPolicy
from actbook.actors._runtime._system import ActorSystem

__all__ = [
    "Actor",
    "ActorError",
    "ActorRef",
    "ActorStoppedError",
    "ActorSystem",
    "AskTimeoutError",
    "BlockingAskError",
    "ChildFailed",
    "ChildRestarted",
    "ChildStopped",
    "DeadLetter",
    "Dispatcher",
    "Future",
    "GiveUp",
    "LivelockError",
    "LoopDispatcher",
    "ManualDispatcher",
    "NameTakenError",
    "NoSystemError",
    "PoolDispatcher",
    "Restart",
    "RestartHistory",
    "Stop",
    "SupervisionPolicy",
    "SystemStoppedError",
    "TimerHandle",
    "UnsupportedAwaitError",
    "WrongThreadError",
]
