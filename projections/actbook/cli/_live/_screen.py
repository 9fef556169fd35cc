"""Live progress on a terminal: one line per node, lighting up as it works."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from actbook.cli._live._progress import NodeProgress, Progress
from actbook.cli._live._summary import count_of, summary
from actbook.cli._names import short
from actbook.cli._printing import console, one_line, seconds
from actbook.cli._statuses import look
from actbook.events import Envelope, ExecutionStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

S = ExecutionStatus

_SPINNER = "◐◓◑◒"
_GLOW = 400_000
"""Microseconds for which a node that has just changed stays bright."""
_FRAME = 0.08
_AROUND = 5
"""Lines of the picture besides the nodes."""


class Screen:
    """Draws `Progress` in place on stderr, a few times a second while it changes."""

    def __init__(self, title: str, execution_id: str) -> None:
        self._title = title
        self._id = execution_id
        self._console = console(sys.stderr)
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._begun = time.time()
        self._drawn = 0.0
        self._message = ""
        self.tick: float | None = 0.1

    def start(self) -> None:
        self._live.start()

    def draw(self, progress: Progress, *, last: bool = False) -> None:
        """At most once per frame, unless it is the last."""
        now = time.monotonic()
        if last or now - self._drawn >= _FRAME:
            self._drawn = now
            self._live.update(self.picture(progress, last=last), refresh=True)

    def event(self, progress: Progress, envelope: Envelope) -> None:
        """Single events are not shown here; `draw` shows what they add up to."""

    def say(self, text: str) -> None:
        """Something for the person, in the next frames until the end."""
        self._message = text

    def close(self) -> None:
        self._live.stop()

    def picture(self, progress: Progress, *, last: bool = False) -> RenderableType:
        """What is on the screen now; the last one stays there, so nothing in it glows."""
        rows = max(3, self._console.height - _AROUND)
        shown, hidden = choose(progress, rows)
        parts: list[RenderableType] = [self._head(progress), self._table(shown, glow=not last)]
        if hidden:
            parts.append(Text(f"  … {hidden} more nodes", style="dim"))
        parts.append(self._foot(progress))
        if self._message and not progress.over:
            parts.append(Text(f"  {self._message}", style="bold yellow"))
        return Group(*parts)

    def _head(self, progress: Progress) -> RenderableType:
        glyph, style = look(progress.status)
        if progress.status is S.RUNNING:
            glyph = self._spin()
        line = Table.grid(expand=True)
        line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_column(justify="right", no_wrap=True)
        name = Text.assemble((f"{glyph} ", style), (self._title, "bold"), (f"  {short(self._id)}", "dim"))
        line.add_row(name, Text(seconds(self._elapsed(progress)), style="bold"))
        return line

    def _table(self, nodes: list[NodeProgress], *, glow: bool) -> RenderableType:
        table = Table.grid(padding=(0, 1), pad_edge=False)
        table.add_column(width=3, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=40)
        table.add_column(no_wrap=True, justify="right", min_width=4)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        now = int(time.time() * 1e6)
        for node in nodes:
            glyph, style = look(node.status)
            if node.status is S.RUNNING:
                glyph = self._spin()
            bright = glow and node.status is S.COMPLETED and now - node.changed_at < _GLOW
            last = "" if node.last is None else one_line(node.last)
            table.add_row(
                Text(glyph, style=style),
                Text(node.label, style="bold reverse green" if bright else _label_style(node)),
                Text(count_of(node), style="dim"),
                Text(last, style="red" if node.status is S.FAILED else "dim"),
            )
        return table

    def _foot(self, progress: Progress) -> RenderableType:
        glyph_style = look(progress.status).style
        status = "STOPPING" if progress.stopping and not progress.over else str(progress.status)
        return Text.assemble("  ", (status, glyph_style), (f"  {summary(progress)}", "dim"))

    def _elapsed(self, progress: Progress) -> float:
        begun = progress.started_at or int(self._begun * 1e6)
        end = progress.ended_at or int(time.time() * 1e6)
        return max(0.0, (end - begun) / 1e6)

    @staticmethod
    def _spin() -> str:
        return _SPINNER[int(time.monotonic() * 8) % len(_SPINNER)]


def choose(progress: Progress, rows: int) -> tuple[list[NodeProgress], int]:
    """The nodes that fit, in their order, and how many do not: those at work go first, then those that changed last."""
    nodes = list(progress.nodes.values())
    if len(nodes) <= rows:
        return nodes, 0
    at_work = {S.RUNNING, S.REVIEW, S.QUEUED}
    ranked = sorted(nodes, key=lambda node: (node.status in at_work, node.changed_at), reverse=True)
    kept = {node.node_id for node in ranked[: rows - 1]}
    return [node for node in nodes if node.node_id in kept], len(nodes) - len(kept)


def _label_style(node: NodeProgress) -> str:
    if node.status in (S.RUNNING, S.REVIEW, S.FAILED):
        return look(node.status).style
    return "dim" if node.status in (None, S.INCOMPLETE) else ""
