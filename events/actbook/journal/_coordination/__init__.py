"""Which process runs the executions of a journal, and how the others hear of a commit."""

from ._errors import BellError, CoordinationError, MeetingError, OwnerLockError
from ._file import FileCoordinator
from ._local import LocalCoordinator
from ._port import Coordinator, OwnerInfo

__all__ = [
    "BellError",
    "CoordinationError",
    "Coordinator",
    "FileCoordinator",
    "LocalCoordinator",
    "MeetingError",
    "OwnerInfo",
    "OwnerLockError",
]
