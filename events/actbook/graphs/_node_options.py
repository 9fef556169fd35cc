"""What a node's `metadata` says about running it: `retry`, `timeout_seconds`, `error_pin`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ._block import Block
from ._graph import Node
from ._retry import A_YEAR, RetryPolicy


class NodeOptions(msgspec.Struct, frozen=True):
    """`timeout`: seconds, None = no cap. `error_pin`: the failure of a sub-graph comes out of an AGENT node's `error`."""

    retry: RetryPolicy | None = None
    timeout: float | None = None
    error_pin: bool = False


def node_options(node: Node, block: Block) -> NodeOptions:
    """The node's options over those its block declares. What is malformed counts as not given: see `option_faults`."""
    timeout, retry = block.execution_timeout_seconds, block.retry
    if not node.metadata:
        return NodeOptions(retry, timeout)
    given = node.metadata.get("timeout_seconds")
    if given is not None and not _timeout_fault(given):
        timeout = float(given) or None
    policy = node.metadata.get("retry")
    if policy is not None and isinstance(read := _policy(policy), RetryPolicy):
        retry = read
    return NodeOptions(retry, timeout, has_error_pin(node))


def has_error_pin(node: Node) -> bool:
    """Whether an AGENT node has the output pin `error`, by option."""
    return node.metadata.get("error_pin") is True


def option_faults(node: Node) -> Iterator[tuple[str, str]]:
    """Field and text of each malformed option; a null counts as not given."""
    metadata = node.metadata
    policy = metadata.get("retry")
    if policy is not None and isinstance(fault := _policy(policy), str):
        yield "metadata.retry", f"Not a retry policy: {fault}"
    timeout = metadata.get("timeout_seconds")
    if timeout is not None and (fault := _timeout_fault(timeout)):
        yield "metadata.timeout_seconds", fault
    error_pin = metadata.get("error_pin")
    if error_pin is not None and not isinstance(error_pin, bool):
        yield "metadata.error_pin", "Must be true or false"


def _policy(value: Any) -> RetryPolicy | str:
    try:
        return msgspec.convert(value, RetryPolicy)
    except msgspec.ValidationError as error:
        return str(error)


def _timeout_fault(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 <= value <= A_YEAR:
        return ""
    return "Must be a number of seconds up to a year, 0 for no cap"
