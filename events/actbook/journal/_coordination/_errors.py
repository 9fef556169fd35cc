"""Why processes on one journal can't be coordinated here."""

from actbook.graphs import ActbookError


class CoordinationError(ActbookError):
    """Base of what keeps a process from taking its place among those on one journal file."""

    def __init__(self, path: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.reason = reason


class OwnerLockError(CoordinationError):
    """The file that decides who the owner is can't be opened or locked."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            path,
            reason,
            f"Cannot lock {path!r}: {reason}. Keep the journal in an existing folder of a local file system "
            "that supports flock (many network mounts do not), writable by the user its processes run as. "
            "To share a journal between machines use a PostgreSQL store.",
        )


class BellError(CoordinationError):
    """The socket over which processes tell each other of commits can't be used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            path,
            reason,
            f"Cannot use the socket {path!r}: {reason}. Keep the journal in a folder of a local file system "
            "that supports Unix sockets (many network and virtual-machine mounts do not), and run all its "
            "processes as the same user.",
        )


class MeetingError(CoordinationError):
    """The connection on which the processes of a journal in a database find each other can't be made."""

    def __init__(self, path: str, reason: str) -> None:
        text = " ".join(reason.split())
        super().__init__(
            path,
            text,
            f"Cannot meet the other processes at {path}: {text}. Check that the server takes one more connection, and that it is "
            "the server itself or a pooler in session mode: notifications and locks belong to a session.",
        )
