"""Checkpoints and public keys as people give them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from actbook.cli._inputs import read_text
from actbook.cli._problems import InvalidError

if TYPE_CHECKING:
    from actbook.replay.proof import Checkpoint, VerifierKey


def read_key(given: str) -> VerifierKey:
    """A public key: its text, or a file with it. Raises `InvalidError` or `MissingError`."""
    from actbook.replay.proof import ProofError, VerifierKey

    text = given if given.count("+") > 1 else read_text(Path(given))
    try:
        return VerifierKey.parse(text)
    except ProofError as error:
        raise InvalidError(f"--key: {error}") from None


def read_checkpoint(path: Path) -> Checkpoint:
    """A signed note of a file. Raises `InvalidError` or `MissingError`."""
    from actbook.replay.proof import Checkpoint, ProofError

    try:
        return Checkpoint.parse(read_text(path))
    except ProofError as error:
        raise InvalidError(f"{path}: {error}") from None
