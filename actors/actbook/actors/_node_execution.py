"""NodeExecutionActor: a node execution that runs, alive as long as its body."""

from __future__ import annotations

from typing import Any

from actbook.actors._attempt import Attempt
from actbook.actors._messages import Cancel
from actbook.actors._runtime import Actor


class NodeExecutionActor(Actor):
    """Begins the body unless that goes on already, can be told to stop it, and takes it along when it ends itself.

    It has no stream: its graph execution records.
    """

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt
        attempt.on_end = self._ended

    def on_start(self) -> None:
        if not self._attempt.begun:
            self._attempt.begin()

    def on_system(self, message: Any) -> None:
        if type(message) is Cancel:
            self._attempt.cancel(message.grace)

    def on_stop(self) -> None:
        self._attempt.abort()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self._attempt.abort()

    def _ended(self) -> None:
        if self.actor_ref.is_alive():
            self.stop_here()
