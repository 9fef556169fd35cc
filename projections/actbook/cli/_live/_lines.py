"""Progress where there is no terminal: plain lines, a bounded number of them."""

from __future__ import annotations

import sys

from actbook.cli._live._progress import Progress
from actbook.cli._live._summary import summary
from actbook.cli._printing import one_line
from actbook.cli._statuses import look
from actbook.events import Envelope, NodeCompleted, NodeFailed, NodeReviewRequested

MOST = 100


class Lines:
    """One line on stderr for each node execution that ends, up to `MOST`; then only the end."""

    def __init__(self, title: str, execution_id: str) -> None:
        self._title = title
        self._id = execution_id
        self._said = 0
        self.tick: float | None = None

    def start(self) -> None:
        self.say(f"{self._title}  {self._id}")

    def event(self, progress: Progress, envelope: Envelope) -> None:
        """Called before `progress` takes the event in."""
        payload = envelope.payload
        if isinstance(payload, (NodeCompleted, NodeFailed, NodeReviewRequested)):
            self._node(progress, payload)

    def draw(self, progress: Progress, *, last: bool = False) -> None:
        if last:
            self.say(f"{look(progress.status).glyph} {progress.status}  {summary(progress)}")

    def close(self) -> None:
        """Nothing was changed that would have to be put back."""

    def _node(self, progress: Progress, payload: NodeCompleted | NodeFailed | NodeReviewRequested) -> None:
        entry = progress.alive.get(payload.node_exec)
        self._said += 1
        if entry is None or self._said > MOST + 1:
            return
        if self._said == MOST + 1:
            self.say("  … and so on; `actbook show` lists every node execution")
            return
        label = entry[0].label
        if isinstance(payload, NodeFailed):
            self.say(f"  {look('FAILED').glyph} {label}  {one_line(payload.error)}")
        elif isinstance(payload, NodeReviewRequested):
            self.say(f"  {look('REVIEW').glyph} {label}  waits for a person: {one_line(payload.data)}")
        else:
            last = payload.outputs[0][1] if payload.outputs else entry[0].last
            self.say(
                f"  {look('COMPLETED').glyph} {label}  {'' if last is None else one_line(last)}".rstrip()
            )

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
