"""The key that signs checkpoints, and where it is kept."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from actbook.graphs import ActbookError
from actbook.replay.proof import ED25519, Checkpoint, ProofError, VerifierKey, id_of_key, split_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = "ACTBOOK_CHECKPOINT_KEY"
KEY_FILE = "ACTBOOK_CHECKPOINT_KEY_FILE"
_PRIVATE = "PRIVATE+KEY+"


class SigningKeyError(ActbookError):
    """The key that signs checkpoints is missing, malformed, or open to others."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningKey:
    """An Ed25519 key with the name of the log that it signs."""

    def __init__(self, name: str, seed: bytes) -> None:
        """`seed`: 32 secret bytes. Raises `SigningKeyError`."""
        if not name or any(sign.isspace() or sign == "+" for sign in name):
            raise SigningKeyError(f"{name!r} can't name a log: leave out white space and '+'.")
        self.name = name
        self._seed = seed

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """A new key."""
        return cls(name, os.urandom(32))

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """A key from its text, `PRIVATE+KEY+NAME+ID+BASE64`. Raises `SigningKeyError`."""
        wanted = "a private key, PRIVATE+KEY+NAME+ID+BASE64, as `actbook prove keygen` makes one"
        if not text.strip().startswith(_PRIVATE):
            raise SigningKeyError(f"That is not {wanted}.")
        try:
            name, key_id, seed = split_key(text.strip().removeprefix(_PRIVATE), wanted)
        except ProofError as error:
            raise SigningKeyError(str(error)) from None
        key = cls(name, seed)
        if key.public.key_id != key_id:
            raise SigningKeyError("The private key is damaged: its id does not fit. Copy it again.")
        return key

    @property
    def public(self) -> VerifierKey:
        """What others check the signatures with."""
        public = _private_key(self._seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, id_of_key(self.name, public), public)

    def reveal(self) -> str:
        """The secret text."""
        return f"{_PRIVATE}{self.name}+{self.public.key_id.hex()}+{base64.b64encode(ED25519 + self._seed).decode()}"

    def sign(self, size: int, root: bytes, extra: tuple[str, ...] = ()) -> Checkpoint:
        """A signed checkpoint of a log."""
        body = "\n".join((self.name, str(size), base64.b64encode(root).decode(), *extra)) + "\n"
        signature = self.public.key_id + _private_key(self._seed).sign(body.encode())
        return Checkpoint.parse(f"{body}\n— {self.name} {base64.b64encode(signature).decode()}\n")

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"


def write_signing_key(path: Path, key: SigningKey) -> None:
    """Writes a new file that only its owner can read. Raises `SigningKeyError` when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SigningKeyError(
            f"{path} is there already. Checkpoints signed with it could not be continued: name another file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key.reveal() + "\n")


def signing_key(path: Path | None = None) -> SigningKey:
    """The key of a file, or of the one or the text that the environment names; `path` goes first.

    Raises `SigningKeyError`.
    """
    if path is None and os.environ.get(KEY):
        return SigningKey.parse(os.environ[KEY])
    if path is None and os.environ.get(KEY_FILE):
        path = Path(os.environ[KEY_FILE])
    if path is None:
        raise SigningKeyError(
            f"No key signs checkpoints. Make one with `actbook prove keygen`, or set {KEY_FILE}."
        )
    try:
        with path.open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SigningKeyError(f"Others may read {path}. Take that from them: chmod 600 {path}.")
            return SigningKey.parse(file.read())
    except OSError as error:
        raise SigningKeyError(f"{path}: {error.strerror}. Make a key with `actbook prove keygen`.") from None


def _private_key(seed: bytes) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Private
    except ImportError:
        raise SigningKeyError(
            "Signing needs the package `cryptography`: pip install 'actbook[audit]'."
        ) from None
    return Private.from_private_bytes(seed)
