"""Why a file can't be imported."""

from __future__ import annotations

from actbook.graphs import ActbookError


class DamagedExportError(ActbookError):
    """A line of an export is not what was written, or the file was cut off. Nothing was imported: export again."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(
            f"{path}, line {line}: {reason}. Nothing was imported; export it again, or copy the file again."
        )
        self.path = path
        self.line = line
        self.reason = reason


class ImportConflictError(ActbookError):
    """The store holds something else under the same stream and version. Nothing was imported: use another store."""

    def __init__(self, path: str, line: int, stream_id: str, version: int, reason: str) -> None:
        super().__init__(
            f"{path}, line {line}: {reason} (stream {stream_id!r}, version {version})."
            " Nothing was imported; import it into another store."
        )
        self.path = path
        self.line = line
        self.stream_id = stream_id
        self.version = version
        self.reason = reason
