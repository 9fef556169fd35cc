"""Errors of the journal: what was asked, what stood in the way, and what to do about it."""

from __future__ import annotations

from actbook.graphs._errors import ActbookError


class JournalError(ActbookError):
    """Base of all errors raised by the journal."""


class ConflictError(JournalError):
    """The stream is not at the version the writer expected: somebody else wrote to it.

    Read it again, then decide again.
    """

    def __init__(self, stream_id: str, expected: int, actual: int) -> None:
        super().__init__(
            f"Stream {stream_id!r} is at version {actual}, not {expected}: "
            "another writer appended to it; read it again and decide again."
        )
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual


class PredecessorFailedError(JournalError):
    """An earlier queued write of the same stream failed, so this one, which builds on it, was not tried."""

    def __init__(self, stream_id: str, reason: Exception) -> None:
        super().__init__(
            f"An earlier write to stream {stream_id!r} failed ({reason}); "
            "this one builds on it and was not tried. Submit again from the recorded state."
        )
        self.stream_id = stream_id
        self.reason = reason


class DuplicateEventError(JournalError):
    """Some of an append's event ids are recorded and others are not, or they belong to another stream.

    Use fresh ids.
    """

    def __init__(self, stream_id: str, event_ids: list[bytes]) -> None:
        listed = ", ".join(event_id.hex() for event_id in event_ids)
        super().__init__(
            f"Append to stream {stream_id!r} reuses event ids that belong to another append: {listed}. "
            "Give every event an id of its own."
        )
        self.stream_id = stream_id
        self.event_ids = event_ids


class UnencodableError(JournalError):
    """An event payload holds a value that has no MessagePack form. Convert it to plain data first."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(
            f"Event {topic!r} can't be encoded: {reason}. "
            "Use text, bytes, numbers up to 64 bits, lists and dicts."
        )
        self.topic = topic
        self.reason = reason


class PayloadKeyError(JournalError):
    """The keys that sealed values need are missing, are others, or can't be read. The text says which, and what to do.

    Never raised for values whose key was destroyed: those read as `[forgotten]`.
    """


class UndecodableError(JournalError):
    """A recorded event can't be read: its bytes were damaged.

    Verify the store and restore it from a backup.
    """

    def __init__(self, stream_id: str, version: int, topic: str, reason: str) -> None:
        super().__init__(
            f"Event {version} ({topic!r}) of stream {stream_id!r} can't be read: {reason}. "
            "Verify the store and restore it from a backup."
        )
        self.stream_id = stream_id
        self.version = version
        self.topic = topic
        self.reason = reason


class UpcastError(JournalError):
    """The upcaster chain of some topics has holes or leftovers: `problems` names each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Upcasters don't match the registered event types: " + "; ".join(problems))
        self.problems = problems


class JournalClosedError(JournalError):
    """The journal was closed. Open a new one."""

    def __init__(self) -> None:
        super().__init__("The journal is closed: open a new one.")


class StoreUrlError(JournalError):
    """The store URL names no known kind of store."""

    def __init__(self, url: str, known: list[str]) -> None:
        super().__init__(
            f"Store URL {url!r} is not understood: use {', '.join(known)} "
            "(for SQLite: sqlite:///relative.db or sqlite:////absolute.db)."
        )
        self.url = url
        self.known = known


class StoreFormatError(JournalError):
    """The file is not an actbook store, or a newer version wrote it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class StoreError(JournalError):
    """The store failed, not the request: nothing of the batch counts as written.

    Repeat it once the cause is gone.
    """

    remedy = "Repeat the request once the cause is gone."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}. {self.remedy}")
        self.path = path
        self.reason = reason


class StoreBusyError(StoreError):
    """Another process holds the store's write lock for longer than the configured patience."""

    remedy = "Another process holds the write lock: let it finish or raise busy_timeout."


class StoreFullError(StoreError):
    """No space is left for the store."""

    remedy = "Free disk space; the store goes on by itself then."


class StoreIOError(StoreError):
    """The operating system reported a failed read, write or sync."""

    remedy = (
        "Check the disk, its quota and its file size limits; nothing of the failed batch counts as written."
    )


class StoreConnectionError(StoreIOError):
    """The database server can't be reached, or refuses this user."""

    remedy = (
        "Check that the server runs and that host, port, user, password and database of the store's URL are right;"
        " nothing of the failed batch counts as written."
    )


class StoreFencedError(StoreError):
    """Others took this worker for dead, and may run its executions already: it writes nothing more under that name."""

    remedy = "Nothing of the batch was written. Repeat the request: the worker goes on under another name."


class MissingDriverError(JournalError):
    """The store's URL names a database whose client library is not installed."""

    def __init__(self, kind: str, extra: str) -> None:
        super().__init__(f'A {kind} store needs its client library: pip install "actbook[{extra}]".')
        self.kind = kind
        self.extra = extra


class StreamIdError(JournalError):
    """The store can't hold a stream of this name."""

    def __init__(self, stream_id: str, reason: str) -> None:
        super().__init__(f"Stream id {stream_id!r} can't be stored: {reason}. Choose another id.")
        self.stream_id = stream_id
        self.reason = reason


class ViewsFileError(StoreIOError):
    """The local file of the views of a PostgreSQL journal can't be made or opened."""

    remedy = (
        "Name a file that can be written with ?views=PATH in the store's URL, or ?views=memory: for none."
    )
