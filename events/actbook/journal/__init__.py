from actbook.journal._archive_file import ArchiveFileError
from actbook.journal._archived import ArchiveRecord, StreamArchivedError, archives_of
from actbook.journal._chain import Fault, Row, canonical, verify_chain
from actbook.journal._coordination import (
    BellError,
    CoordinationError,
    Coordinator,
    MeetingError,
    OwnerInfo,
    OwnerLockError,
)
from actbook.journal._coordinator_choice import coordinator_for
from actbook.journal._errors import (
    ConflictError,
    DuplicateEventError,
    JournalClosedError,
    JournalError,
    MissingDriverError,
    PayloadKeyError,
    PredecessorFailedError,
    StoreBusyError,
    StoreConnectionError,
    StoreError,
    StoreFencedError,
    StoreFormatError,
    StoreFullError,
    StoreIOError,
    StoreUrlError,
    StreamIdError,
    UndecodableError,
    UnencodableError,
    UpcastError,
    ViewsFileError,
)
from actbook.journal._event_ids import EventIds, new_event_id
from actbook.journal._journal import Journal
from actbook.journal._memory import MemoryStore
from actbook.journal._postgres_url import redacted as redacted_url
from actbook.journal._recorded import Recorded
from actbook.journal._sqlite import SQLiteStore
from actbook.journal._sqlite_schema import Synchronous
from actbook.journal._store import Snapshot, Store
from actbook.journal._upcast import check_upcasters, upcaster
from actbook.journal._urls import open_store

__all__ = [
    "Synchronous",
    "coordinator_for",
    "OwnerLockError",
    "OwnerInfo",
    "Coordinator",
    "CoordinationError",
    "BellError",
    "ArchiveFileError",
    "ArchiveRecord",
    "ConflictError",
    "DuplicateEventError",
    "EventIds",
    "Fault",
    "Journal",
    "JournalClosedError",
    "JournalError",
    "MeetingError",
    "MemoryStore",
    "MissingDriverError",
    "PayloadKeyError",
    "PredecessorFailedError",
    "Recorded",
    "Row",
    "SQLiteStore",
    "Snapshot",
    "Store",
    "StoreBusyError",
    "StoreConnectionError",
    "StoreError",
    "StoreFencedError",
    "StoreFormatError",
    "StoreFullError",
    "StoreIOError",
    "StoreUrlError",
    "StreamIdError",
    "StreamArchivedError",
    "UndecodableError",
    "UnencodableError",
    "UpcastError",
    "ViewsFileError",
    "archives_of",
    "canonical",
    "check_upcasters",
    "new_event_id",
    "open_store",
    "redacted_url",
    "upcaster",
    "verify_chain",
]
