"""Node bodies: how the code of a block is run, streamed, bounded and stopped."""

from ._bodies import Bodies, Capacity
from ._body import Body, BodySink
from ._outcome import NoSlotError, Outcome
from ._plain import UnrecordableError, plain
from ._stop import stop_requested, wait_for_stop

__all__ = [
    "Bodies",
    "Body",
    "BodySink",
    "Capacity",
    "NoSlotError",
    "Outcome",
    "UnrecordableError",
    "plain",
    "stop_requested",
    "wait_for_stop",
]
