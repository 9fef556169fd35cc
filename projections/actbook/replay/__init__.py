"""Replay: the history of an execution, its state at any point, differences, verification."""

from actbook.replay._difference import Change
from actbook.replay._history import History

__all__ = ["Change", "History"]
