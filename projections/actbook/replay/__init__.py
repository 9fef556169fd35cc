"""Replay: the history of an execution, its state at any point, differences, verification, checkpoints."""

from actbook.replay._checkpoints import CheckpointError, Checkpoints
from actbook.replay._difference import Change
from actbook.replay._execution_difference import ExecutionDifference, NodeDifference
from actbook.replay._history import History
from actbook.replay._kinship import Kinship
from actbook.replay._rerun import Rerun, rerun
from actbook.replay._signing import KEY, KEY_FILE, SigningKey, SigningKeyError, signing_key, write_signing_key
from actbook.replay._timeline import Span, Timeline
from actbook.replay._verify import (
    Checked,
    find_executions,
    recorded_events,
    verify_store,
    verify_streams,
    views_of,
)

__all__ = [
    "KEY",
    "KEY_FILE",
    "Change",
    "Checked",
    "CheckpointError",
    "Checkpoints",
    "ExecutionDifference",
    "History",
    "Kinship",
    "NodeDifference",
    "Rerun",
    "SigningKey",
    "SigningKeyError",
    "Span",
    "Timeline",
    "find_executions",
    "recorded_events",
    "rerun",
    "signing_key",
    "verify_store",
    "verify_streams",
    "views_of",
    "write_signing_key",
]
