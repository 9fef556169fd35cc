"""Log lines about an execution: they say which one, as fields or as a prefix."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from actbook.graphs import ExecutionContext

LONGEST = 1_000
"""Characters of a message; a traceback behind it is not counted."""

_SHORT = {
    "user_id": "uid",
    "graph_exec_id": "geid",
    "graph_id": "gid",
    "node_exec_id": "neid",
    "node_id": "nid",
    "block_name": "block",
}
_structured = False


def structured_logs(enabled: bool = True) -> None:
    """For this process: whether handlers show the fields of a record. Messages then carry no prefix.

    The fields are `component`, `user_id`, `graph_exec_id`, `graph_id`, `node_exec_id`, `node_id` and `block_name`; those that
    are known are attributes of every record, enabled or not. Handlers and levels are left as they are.
    """
    global _structured
    _structured = enabled


class ExecutionLog(logging.LoggerAdapter[logging.Logger]):
    """Writes to `logger` about one execution, or one node execution; names only what it was given.

    Never blocks longer than the handlers do, and never raises for what the message holds.
    """

    def __init__(
        self,
        logger: logging.Logger,
        component: str,
        *,
        user_id: str = "",
        graph_exec_id: str = "",
        graph_id: str = "",
        node_exec_id: str = "",
        node_id: str = "",
        block_name: str = "",
    ) -> None:
        given = {
            "component": component,
            "user_id": user_id,
            "graph_exec_id": graph_exec_id,
            "graph_id": graph_id,
            "node_exec_id": node_exec_id,
            "node_id": node_id,
            "block_name": block_name,
        }
        self.fields: Mapping[str, str] = {name: value for name, value in given.items() if value}
        super().__init__(logger, self.fields)

    @classmethod
    def of(
        cls, logger: logging.Logger, component: str, context: ExecutionContext, block_name: str = ""
    ) -> ExecutionLog:
        """About the node execution that the context is of."""
        return cls(
            logger,
            component,
            user_id=context.user_id,
            graph_exec_id=context.graph_exec_id,
            graph_id=context.graph_id,
            node_exec_id=context.node_exec_id,
            node_id=context.node_id,
            block_name=block_name,
        )

    @property
    def prefix(self) -> str:
        """What a message begins with when its fields are not shown otherwise."""
        ids = (f"{short}:{self.fields[name]}" for name, short in _SHORT.items() if name in self.fields)
        return f"[{'|'.join((self.fields.get('component', ''), *ids))}]"

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """As `Logger.log`; the message is cut at 1,000 characters. `trace`: a traceback to put behind it, whole."""
        if not self.logger.isEnabledFor(level):
            return
        trace = kwargs.pop("trace", "")
        text, options = self.process(_formatted(msg, args), kwargs)
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        options["stacklevel"] = options.get("stacklevel", 1) + 1
        self.logger.log(level, "%s", f"{text}\n{trace}" if trace else text, **options)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """The message with its prefix, unless logs are structured, and the fields as `extra` beside the caller's own."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **self.fields}
        return (msg if _structured else f"{self.prefix} {msg}"), kwargs


def _formatted(msg: object, args: tuple[Any, ...]) -> str:
    try:
        return logging.LogRecord("", 0, "", 0, msg, args, None).getMessage()
    except Exception as error:
        return f"{msg} (its arguments can't be shown: {type(error).__name__})"
