from __future__ import annotations

import msgspec

from actbook.graphs import ExecutionContext


def test_every_node_execution_gets_its_own_copy() -> None:
    run = ExecutionContext(user_id="u", graph_exec_id="g")
    one = run.for_node("n1", "e1")
    retry = run.for_node("n1", "e1", attempt=2)
    one.user_timezone = "Asia/Tokyo"
    assert (run.node_id, run.user_timezone) == ("", "UTC")
    assert (one.node_id, one.node_exec_id, one.user_id, one.attempt) == ("n1", "e1", "u", 1)
    assert retry.attempt == 2
    assert one.idempotency_key == retry.idempotency_key == "e1"


def test_unknown_fields_are_ignored() -> None:
    parsed = msgspec.json.decode(b'{"user_id": "u", "from_the_future": 1}', type=ExecutionContext)
    assert parsed == ExecutionContext(user_id="u")


def test_a_timezone_that_is_not_set_is_utc() -> None:
    assert ExecutionContext(user_timezone="not-set").user_timezone == "UTC"
    assert ExecutionContext(user_timezone="").user_timezone == "UTC"
