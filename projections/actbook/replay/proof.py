"""Checks proofs about a log of events without actbook.

This file stands alone: it needs Python, and `cryptography` for the signatures. A copy of it is all that somebody needs who
doesn't trust whoever keeps the log. `python proof.py PROOF.json --key KEY`; `python -m actbook.replay` is the same.

The tree is that of RFC 6962 and RFC 9162 (SHA-256). A checkpoint is a signed note: the log's name, its size, the root in
base64, further lines, an empty line, signatures.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

LEAF, NODE = b"\x00", b"\x01"
ED25519 = b"\x01"
INCLUSION, CONSISTENCY = "actbook inclusion", "actbook consistency"

_HEAD = struct.Struct(">qqqIII")


class ProofError(ValueError):
    """What a proof or a checkpoint claims does not follow from it, or is not signed by a key that was given."""


# -- the tree --------------------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Hash of an entry."""
    return sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two neighbours."""
    return sha256(NODE + left + right).digest()


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` entries that has `leaf` at `index`, if `path` proves it; raises `ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"Entry {index} is not in a log of {size}.")
    first, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ProofError("The inclusion path is too long.")
        if first & 1 or first == last:
            root = node_hash(step, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, step)
        first, last = first >> 1, last >> 1
    if last:
        raise ProofError("The inclusion path is too short.")
    return root


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raises `ProofError` unless `path` proves that the log of `new` entries begins with the one of `old` entries."""
    if old > new or old < 0:
        raise ProofError(f"A log of {old} entries is not the beginning of one of {new}.")
    if old in (0, new):
        if path or (old and old_root != new_root):
            raise ProofError("Two checkpoints of the same size have different roots.")
        return
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    steps = list(path)
    if first or not steps:
        if not steps:
            raise ProofError("The consistency path is too short.")
        older = newer = steps.pop(0)
    else:
        older = newer = old_root
    for step in steps:
        older, newer, first, last = _climb(older, newer, first, last, step)
    if last:
        raise ProofError("The consistency path is too short.")
    if (older, newer) != (old_root, new_root):
        raise ProofError(
            f"The log of {new} entries does not begin with the {old} entries of the older checkpoint."
        )


def _climb(older: bytes, newer: bytes, first: int, last: int, step: bytes) -> tuple[bytes, bytes, int, int]:
    if last == 0:
        raise ProofError("The consistency path is too long.")
    if first & 1 or first == last:
        older, newer = node_hash(step, older), node_hash(step, newer)
        while first and not first & 1:
            first, last = first >> 1, last >> 1
    else:
        newer = node_hash(newer, step)
    return older, newer, first >> 1, last >> 1


# -- entries ---------------------------------------------------------------------------------------------------------


def event_entry(
    position: int,
    stream_id: str,
    version: int,
    topic: str,
    event_id: bytes,
    at: int,
    chain: bytes,
    state: bytes,
) -> bytes:
    """An event as an entry of the log. `chain`: its hash in its stream; `state`: SHA-256 of its content."""
    stream, kind = stream_id.encode(), topic.encode()
    head = _HEAD.pack(position, version, at, len(stream), len(kind), len(event_id))
    return b"".join((head, stream, kind, event_id, chain, state))


def absent_entry(position: int) -> bytes:
    """What stands for a position whose event was not in the store any more when the log got there."""
    return _HEAD.pack(position, 0, 0, 0, 0, 0)


# -- checkpoints -----------------------------------------------------------------------------------------------------


class VerifierKey(NamedTuple):
    """The public half of a key: `NAME+ID+BASE64`."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises `ProofError`."""
        name, key_id, public = split_key(text, "a public key, NAME+ID+BASE64")
        key = cls(name, key_id, public)
        if key_id != id_of_key(name, public):
            raise ProofError(f"The key {text!r} is damaged: its id does not fit. Copy it again.")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def split_key(text: str, wanted: str) -> tuple[str, bytes, bytes]:
    """Name, id and 32 bytes of an Ed25519 key as text; raises `ProofError`."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
        found = bytes.fromhex(key_id)
    except (ValueError, binascii.Error):
        raise ProofError(f"That is not {wanted}.") from None
    if not name or data[:1] != ED25519 or len(data) != 33 or len(found) != 4:
        raise ProofError(f"That is not {wanted}.")
    return name, found, data[1:]


def id_of_key(name: str, public: bytes) -> bytes:
    """Four bytes by which a signature names its key."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


class Checkpoint(NamedTuple):
    """The size of a log and the root over all its entries. `extra`: further lines; `text`: the signed note as it is."""

    origin: str
    size: int
    root: bytes
    extra: tuple[str, ...]
    signatures: tuple[tuple[str, bytes], ...]
    text: str

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raises `ProofError`. The signatures are read and not checked."""
        body, gap, tail = text.partition("\n\n")
        lines = body.split("\n")
        try:
            size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
        except (IndexError, ValueError):
            raise ProofError("That is no checkpoint: name, size and root are its first lines.") from None
        if not gap or not lines[0] or size < 0 or str(size) != lines[1] or len(root) != 32:
            raise ProofError("That is no checkpoint: name, size and root are its first lines.")
        signatures = tuple(_signature(line) for line in tail.splitlines() if line)
        return cls(lines[0], size, root, tuple(lines[3:]), signatures, text)

    @property
    def signed_text(self) -> bytes:
        """What the signatures are over."""
        return (self.text.partition("\n\n")[0] + "\n").encode()

    def check_signature(self, keys: Sequence[VerifierKey]) -> VerifierKey:
        """The key of those that signed it; raises `ProofError` when none did."""
        for key in keys:
            for name, signature in self.signatures:
                if name == key.name and signature[:4] == key.key_id:
                    check_ed25519(key.public, signature[4:], self.signed_text)
                    return key
        raise ProofError(f"The checkpoint of {self.size} entries is not signed by a key that was given.")


def _signature(line: str) -> tuple[str, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise ProofError("A signature line of the checkpoint can't be read.") from None
    if dash != "—" or len(data) < 5:
        raise ProofError("A signature line of the checkpoint can't be read.")
    return name, data


def check_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Raises `ProofError` unless the signature is right."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise ProofError("Signatures need the package `cryptography`: pip install cryptography.") from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise ProofError(
            "The signature of the checkpoint is wrong: it was changed, or somebody else made it."
        ) from None


# -- proofs ----------------------------------------------------------------------------------------------------------


def check_proof(document: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    """What a proof proves, as a sentence; raises `ProofError`."""
    try:
        if document["kind"] == INCLUSION:
            return _check_inclusion(document, keys)
        if document["kind"] == CONSISTENCY:
            return _check_extension(document, keys)
    except (KeyError, TypeError, AttributeError, ValueError, struct.error) as error:
        if isinstance(error, ProofError):
            raise
        raise ProofError(f"The proof is incomplete or damaged ({type(error).__name__}: {error}).") from None
    raise ProofError(f"A proof of the kind {document['kind']!r} is not known.")


def _check_inclusion(document: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    checkpoint = Checkpoint.parse(document["checkpoint"])
    key = checkpoint.check_signature(keys)
    event = document["event"]
    digest = bytes.fromhex(event["state_sha256"])
    if "state" in event and sha256(base64.b64decode(event["state"], validate=True)).digest() != digest:
        raise ProofError("The content of the event is not what its SHA-256 says.")
    entry = event_entry(
        event["position"],
        event["stream_id"],
        event["version"],
        event["topic"],
        bytes.fromhex(event["event_id"]),
        event["at"],
        bytes.fromhex(event["hash"]),
        digest,
    )
    path = [bytes.fromhex(step) for step in document["path"]]
    index = event["position"] - 1
    if root_from_inclusion(index, checkpoint.size, leaf_hash(entry), path) != checkpoint.root:
        raise ProofError("The event is not in the log of the checkpoint: the path leads to another root.")
    return (
        f"Event {event['version']} ({event['topic']}) of {event['stream_id']} stands at position {event['position']}"
        f" of the {checkpoint.size} events that {key.name} signed."
    )


def _check_extension(document: Mapping[str, Any], keys: Sequence[VerifierKey]) -> str:
    old, new = Checkpoint.parse(document["old"]), Checkpoint.parse(document["new"])
    key = old.check_signature(keys)
    new.check_signature(keys)
    if old.origin != new.origin:
        raise ProofError(f"The checkpoints are of two logs, {old.origin!r} and {new.origin!r}.")
    check_consistency(
        old.size, new.size, old.root, new.root, [bytes.fromhex(step) for step in document["path"]]
    )
    return f"The {new.size} events that {key.name} signed begin with the {old.size} events of the older checkpoint."


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when every proof holds, 1 when one does not, 2 for what can't be read."""
    import argparse

    parser = argparse.ArgumentParser(description="Checks proofs about a log of events.")
    parser.add_argument("proofs", nargs="+", metavar="PROOF", help="file with a proof, or - for stdin")
    parser.add_argument(
        "--key", action="append", required=True, help="public key of who signs, NAME+ID+BASE64"
    )
    given = parser.parse_args(arguments)
    try:
        keys = [VerifierKey.parse(key) for key in given.key]
        documents = [_read(name) for name in given.proofs]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    bad = 0
    for name, document in zip(given.proofs, documents, strict=True):
        try:
            print(f"{name}: proved. {check_proof(document, keys)}")
        except ProofError as error:
            bad += 1
            print(f"{name}: NOT proved. {error}")
    return 1 if bad else 0


def _read(name: str) -> Mapping[str, Any]:
    if name == "-":
        document = json.load(sys.stdin)
    else:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
    if not isinstance(document, dict):
        raise ProofError(f"{name}: that is no proof.")
    return document


if __name__ == "__main__":
    sys.exit(main())
