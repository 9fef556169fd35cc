"""A second opinion on a history: which moves it makes, told by the events alone and not by the code under test."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from actbook.events import Draft

ALLOWED: dict[str, Collection[str | None]] = {
    "INCOMPLETE": {None},
    "QUEUED": {"INCOMPLETE", "TERMINATED", "REVIEW"},
    "RUNNING": {"INCOMPLETE", "QUEUED", "TERMINATED", "REVIEW"},
    "COMPLETED": {"RUNNING"},
    "FAILED": {"INCOMPLETE", "QUEUED", "RUNNING", "REVIEW"},
    "TERMINATED": {"INCOMPLETE", "QUEUED", "RUNNING", "REVIEW"},
    "REVIEW": {"RUNNING"},
}

GRAPH_MOVES = {
    "execution.created": "INCOMPLETE",
    "execution.queued": "QUEUED",
    "execution.started": "RUNNING",
    "execution.parked": "REVIEW",
    "execution.completed": "COMPLETED",
    "execution.failed": "FAILED",
    "execution.terminated": "TERMINATED",
    "execution.resumed": "QUEUED",
}

NEXT_ATTEMPT = {"execution.retried", "execution.forked"}
"""Begin the next attempt from whatever status: these two stand beside the table of moves."""

NODE_MOVES = {
    "node.created": ["INCOMPLETE"],
    "node.queued": ["QUEUED"],
    "node.retried": ["QUEUED"],
    "node.started": ["RUNNING"],
    "node.completed": ["COMPLETED"],
    "node.failed": ["FAILED"],
    "node.skipped": ["RUNNING", "COMPLETED"],
    "node.review_requested": ["REVIEW"],
    "node.review_decided": ["RUNNING"],
}

ENDS = {"COMPLETED", "FAILED", "TERMINATED"}
ACTIVE = {"QUEUED", "RUNNING", "REVIEW"}
AFTER_THE_END = {"inbox.handled", "execution.claimed", "execution.resumed", "execution.retried"}


class Audit:
    """Raises `AssertionError` at the first event that breaks a rule."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.nodes: dict[int, str | None] = {}
        self.attempts: dict[int, int] = {}
        self.stopping = False
        self.inbox_version = 0
        self.epoch = 0

    def read(self, history: Iterable[Draft]) -> Audit:
        for version, draft in enumerate(history, 1):
            self._cause(draft, version)
            self._event(draft.payload.TOPIC, draft.payload)
        return self

    def _cause(self, draft: Draft, version: int) -> None:
        if isinstance(draft.cause, int):
            assert 0 < draft.cause < version, f"{version} is caused by {draft.cause}"

    def _event(self, topic: str, event: Any) -> None:
        if self.status in ENDS:
            assert topic in AFTER_THE_END, f"{topic} after {self.status}"
        if topic in NEXT_ATTEMPT:
            self._next_attempt(topic)
        elif topic in GRAPH_MOVES:
            self._graph(topic)
        elif topic == "node.terminated":
            for number in event.node_execs:
                self._move(number, "TERMINATED")
            assert set(event.abandoned) <= set(event.node_execs)
        elif topic in NODE_MOVES:
            self._node(topic, event)
        elif topic == "node.output":
            assert self.nodes[event.node_exec] == "RUNNING"
        elif topic == "node.retry_scheduled":
            assert self.nodes[event.node_exec] == "RUNNING"
            assert not self.stopping, "tried again while stopping"
        elif topic == "execution.stopping":
            assert not self.stopping
            self.stopping = True
        elif topic == "inbox.handled":
            assert event.version > self.inbox_version
            self.inbox_version = event.version
        elif topic == "execution.claimed":
            assert event.epoch == self.epoch + 1
            self.epoch = event.epoch

    def _graph(self, topic: str) -> None:
        wanted = GRAPH_MOVES[topic]
        assert self.status in ALLOWED[wanted], f"{self.status} → {wanted}"
        self.status = wanted
        if wanted in ENDS:
            self.stopping = False
            active = {number for number, status in self.nodes.items() if status in ACTIVE}
            assert not active, f"{active} are active in a {wanted} execution"
        if topic == "execution.parked":
            assert not {"QUEUED", "RUNNING"} & set(self.nodes.values())
        if topic == "execution.resumed":
            self._queue_again()

    def _next_attempt(self, topic: str) -> None:
        if topic == "execution.forked":
            self.inbox_version = 0
        else:
            assert self.status in ENDS, f"{topic} while {self.status}"
        self.status = "QUEUED"
        self.stopping = False
        self._queue_again()

    def _queue_again(self) -> None:
        for number, status in self.nodes.items():
            if status == "TERMINATED":
                self._move(number, "QUEUED")

    def _node(self, topic: str, event: Any) -> None:
        number = event.node_exec
        if number not in self.nodes:
            assert number == len(self.nodes) + 1
            self.nodes[number] = None if topic == "node.created" else "INCOMPLETE"
            assert topic != "node.retried" or self.nodes[event.retry_of] in ("FAILED", "COMPLETED")
        if topic == "node.started":
            assert self.status == "RUNNING"
            assert not self.stopping, "started while stopping"
            assert event.attempt == self.attempts.get(number, 0) + 1
            assert event.epoch == self.epoch
            self.attempts[number] = event.attempt
            if self.nodes[number] == "RUNNING":
                return
        for wanted in NODE_MOVES[topic]:
            self._move(number, wanted)

    def _move(self, number: int, wanted: str) -> None:
        current = self.nodes[number]
        assert current in ALLOWED[wanted], f"node execution {number}: {current} → {wanted}"
        self.nodes[number] = wanted
