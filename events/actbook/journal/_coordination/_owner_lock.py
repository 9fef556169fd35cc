"""The lock that makes one process the owner."""

import fcntl
import os
from io import FileIO

import msgspec

from ._errors import OwnerLockError
from ._port import OwnerInfo

_INFO_LIMIT = 4096


class OwnerLock:
    """An flock on a file that is never removed, with the holder's OwnerInfo in it.

    The kernel gives it back when the holder ends, however it ends, and not before: a holder that is stopped
    or busy keeps it. Two locks conflict within one process as they do between processes. Removing the file by
    hand while it is held would let a second owner in.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: FileIO | None = None

    def take(self, info: OwnerInfo) -> bool:
        """Become the holder if nobody is, without waiting. Raises OwnerLockError."""
        try:
            self._file = self._lock()
        except OSError as error:
            raise OwnerLockError(self._path, error.strerror or str(error)) from error
        if self._file is None:
            return False
        self._write(msgspec.json.encode(info))
        return True

    def holder(self) -> OwnerInfo | None:
        """What the last holder wrote, alive or not; None after it gave the lock back in order."""
        try:
            with open(self._path, "rb") as file:
                return msgspec.json.decode(file.read(_INFO_LIMIT), type=OwnerInfo)
        except (OSError, msgspec.DecodeError):
            return None

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._clear(file)
            fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough if native code forked a copy
            file.close()

    def abandon(self) -> None:
        if self._file is not None:
            self._file.close()

    def _lock(self) -> FileIO | None:
        while True:
            file = FileIO(self._path, "r+", opener=_create)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path)):
                    return file
            except BlockingIOError:
                file.close()
                return None
            except FileNotFoundError:
                pass
            except BaseException:
                file.close()
                raise
            file.close()  # the file was replaced between opening and locking

    def _write(self, content: bytes) -> None:
        assert self._file is not None
        try:
            os.ftruncate(self._file.fileno(), 0)
            os.pwrite(self._file.fileno(), content, 0)
        except OSError as error:
            self.release()
            raise OwnerLockError(self._path, error.strerror or str(error)) from error

    @staticmethod
    def _clear(file: FileIO) -> None:
        try:
            os.ftruncate(file.fileno(), 0)
        except OSError:
            pass


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
