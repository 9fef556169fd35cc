"""Engine: opens a store, admits, runs, stops and answers for graph executions."""

from actbook.engine._archived import ExecutionArchivedError
from actbook.engine._configuration import settings_from_environment
from actbook.engine._engine import Engine
from actbook.engine._errors import (
    ConfigurationError,
    EngineClosedError,
    ExecutionNotFoundError,
    ForkRefusedError,
    GraphNotFoundError,
    GraphValidationError,
    IdempotencyKeyError,
    NotFoundError,
    ResumeRefusedError,
    RetryRefusedError,
    ReviewError,
    ScheduleError,
    ScheduleNotFoundError,
    SharingError,
    StillRunningError,
    StillStoppingError,
    TopUpError,
    UnrecordableInputError,
)
from actbook.engine._forgotten import ValuesForgottenError
from actbook.engine._notary import CheckpointPolicy
from actbook.engine._process import tune_process
from actbook.engine._relaying import relay_to, run_messages_to
from actbook.engine._retention import RetentionPolicy
from actbook.engine._settings import EngineSettings
from actbook.engine._start_time import StartTimeError

__all__ = [
    "CheckpointPolicy",
    "ConfigurationError",
    "Engine",
    "EngineClosedError",
    "EngineSettings",
    "ExecutionArchivedError",
    "ExecutionNotFoundError",
    "ForkRefusedError",
    "GraphNotFoundError",
    "GraphValidationError",
    "IdempotencyKeyError",
    "NotFoundError",
    "ResumeRefusedError",
    "RetentionPolicy",
    "RetryRefusedError",
    "ReviewError",
    "ScheduleError",
    "ScheduleNotFoundError",
    "SharingError",
    "StartTimeError",
    "StillRunningError",
    "StillStoppingError",
    "TopUpError",
    "UnrecordableInputError",
    "ValuesForgottenError",
    "relay_to",
    "run_messages_to",
    "settings_from_environment",
    "tune_process",
]
