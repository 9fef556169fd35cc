"""Engine: opens a store, admits, runs, stops and answers for graph executions."""

from actbook.engine._engine import Engine
from actbook.engine._errors import (
    EngineClosedError,
    ExecutionNotFoundError,
    GraphNotFoundError,
    GraphValidationError,
    NotFoundError,
    ReviewError,
    StillRunningError,
    StillStoppingError,
)
from actbook.engine._settings import EngineSettings

__all__ = [
    "Engine",
    "EngineClosedError",
    "EngineSettings",
    "ExecutionNotFoundError",
    "GraphNotFoundError",
    "GraphValidationError",
    "NotFoundError",
    "ReviewError",
    "StillRunningError",
    "StillStoppingError",
]
