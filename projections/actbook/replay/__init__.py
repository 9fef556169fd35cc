"""Replay: the history of an execution, its state at any point, differences, verification, checkpoints."""

from actbook.replay._archive import ArchiveError, archive_executions, discard_executions
from actbook.replay._archive_check import CheckedArchive, check_archive
from actbook.replay._archive_choice import Choice, ended_trees, trees_of
from actbook.replay._archive_restore import Restored, restore_archive
from actbook.replay._checkpoints import CheckpointError, Checkpoints
from actbook.replay._difference import Change
from actbook.replay._execution_difference import ExecutionDifference, NodeDifference
from actbook.replay._forget import Forgotten, UserBusyError, busy_executions, forget_user, scrub
from actbook.replay._forget_keys import KeysForgotten, PlainValuesError, destroy_keys, keys_of, sealed_streams
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
    "ArchiveError",
    "Change",
    "Checked",
    "CheckedArchive",
    "CheckpointError",
    "Checkpoints",
    "Choice",
    "ExecutionDifference",
    "Forgotten",
    "History",
    "KeysForgotten",
    "Kinship",
    "NodeDifference",
    "PlainValuesError",
    "Rerun",
    "Restored",
    "SigningKey",
    "SigningKeyError",
    "Span",
    "Timeline",
    "UserBusyError",
    "archive_executions",
    "busy_executions",
    "check_archive",
    "destroy_keys",
    "discard_executions",
    "ended_trees",
    "find_executions",
    "forget_user",
    "keys_of",
    "recorded_events",
    "rerun",
    "restore_archive",
    "scrub",
    "sealed_streams",
    "signing_key",
    "trees_of",
    "verify_store",
    "verify_streams",
    "views_of",
    "write_signing_key",
]
