"""Where processes on one journal meet: socket files beside it, whatever the length of its path."""

import hashlib
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ._errors import BellError

_ADDRESS_LIMIT: Final = 103  # bytes; the smallest sun_path among the systems in use, less its closing zero
_NAME_LIMIT: Final = 80
_LONGEST_SUFFIX: Final = len("-wait-0123456789abcdef")
_DESCRIPTORS = "/proc/self/fd"
_TEMPORARY = "/tmp"  # not TMPDIR, which may differ between processes that must meet
_BACKLOG: Final = 4096


class Silence(Enum):
    """Why a call was not answered."""

    NOBODY = "nobody listens there"
    BUSY = "somebody listens but does not accept"


@dataclass(frozen=True, slots=True)
class Address:
    """A socket file: `directory` has no symbolic links in it, `name` is short enough for every system."""

    directory: str
    name: str

    @property
    def path(self) -> str:
        return os.path.join(self.directory, self.name)

    def sibling(self, suffix: str) -> "Address":
        return Address(self.directory, self.name + suffix)

    def listen(self) -> socket.socket:
        """Create the socket file, for this user only, in place of a stale one. Raises BellError."""
        self.remove()
        while (sock := self._listening()) is None:
            pass
        return sock

    def _listening(self) -> socket.socket | None:
        """None when it was swept away before it listened: until then it looks like one that the dead left."""
        sock = _unix_socket()
        try:
            with self._short() as address:
                sock.bind(address)
            try:
                os.chmod(self.path, 0o600)  # before listen: nobody can connect earlier
            except FileNotFoundError:
                sock.close()
                return None
            sock.listen(_BACKLOG)
        except OSError as error:
            sock.close()
            raise BellError(self.path, error.strerror or str(error)) from error
        return sock

    def dial(self) -> socket.socket | Silence:
        """Connect without waiting. Raises BellError when the socket may or can not be used."""
        sock = _unix_socket()
        try:
            with self._short() as address:
                sock.connect(address)
        except OSError as error:
            sock.close()
            return self._silence(error)
        return sock

    def remove(self) -> None:
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise BellError(self.path, error.strerror or str(error)) from error

    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def _silence(self, error: OSError) -> Silence:
        if isinstance(error, FileNotFoundError | ConnectionError):
            return Silence.NOBODY
        if isinstance(error, BlockingIOError):
            return Silence.BUSY
        raise BellError(self.path, error.strerror or str(error)) from error

    @contextmanager
    def _short(self) -> Iterator[str]:
        if len(os.fsencode(self.path)) <= _ADDRESS_LIMIT:
            yield self.path
            return
        directory = os.open(
            self.directory, getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
        )
        try:
            yield f"{_DESCRIPTORS}/{directory}/{self.name}"
        finally:
            os.close(directory)


def address_beside(path: str) -> Address:
    """What all processes that open the file at `path` derive their addresses from.

    `path` is absolute, its symbolic links resolved.

    A file name that is too long is replaced by a digest. A folder that is too long is reached through a
    descriptor of it, or, where the system can't, replaced by a private one per user in the temporary folder.
    """
    directory, name = os.path.split(path)
    if len(os.fsencode(name)) + _LONGEST_SUFFIX > _NAME_LIMIT:
        name = "." + _digest(name)
    longest = len(os.fsencode(os.path.join(directory, name))) + _LONGEST_SUFFIX
    if longest > _ADDRESS_LIMIT and not os.path.isdir(_DESCRIPTORS):
        return Address(_private_directory(), _digest(path))
    return Address(directory, name)


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:24]


def _private_directory() -> str:
    path = os.path.join(os.path.realpath(_TEMPORARY), f"actbook-{os.getuid()}")
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError as error:
        raise BellError(path, error.strerror or str(error)) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise BellError(path, "it is not a folder that only this user can enter; remove it")
    return path


def _unix_socket() -> socket.socket:
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise BellError("", error.strerror or str(error)) from error
    sock.setblocking(False)
    return sock
