"""What travels between processes, and the queues it travels through."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from actbook.bridge.rabbitmq import create_execution_queue_config
from actbook.events import CancelExecutionEvent, ExecutionContext, GraphExecutionEntry

ENTRY = {
    "user_id": "ada",
    "graph_exec_id": "run",
    "graph_id": "g",
    "graph_version": 3,
    "nodes_input_masks": {"n": {"x": 1}},
    "nodes_to_skip": ["k"],
    "execution_context": {
        "user_id": "ada",
        "root_execution_id": "root",
        "human_in_the_loop_safe_mode": False,
    },
}


def test_the_run_message_survives_json() -> None:
    entry = GraphExecutionEntry.from_json(json.dumps(ENTRY))
    assert (entry.user_id, entry.graph_exec_id, entry.graph_id, entry.graph_version) == ("ada", "run", "g", 3)
    assert (entry.nodes_input_masks, entry.nodes_to_skip) == ({"n": {"x": 1}}, ["k"])
    assert entry.execution_context.root_execution_id == "root"
    assert not entry.execution_context.human_in_the_loop_safe_mode
    assert GraphExecutionEntry.from_json(entry.to_json()) == entry


def test_unknown_fields_are_ignored() -> None:
    later = {**ENTRY, "new": 1, "execution_context": {"new": {"a": 1}, "dry_run": True}}
    assert GraphExecutionEntry.from_json(json.dumps(later)).execution_context.dry_run
    cancel = CancelExecutionEvent.from_json(b'{"graph_exec_id": "run", "new": 1}')
    assert cancel == CancelExecutionEvent(graph_exec_id="run")


def test_the_cancel_message_says_who_and_why() -> None:
    cancel = CancelExecutionEvent(graph_exec_id="run", actor="ada", reason="enough", at=5)
    assert CancelExecutionEvent.from_json(cancel.to_json()) == cancel


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"graph_exec_id": 5}'])
def test_what_can_not_be_parsed_says_why(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError) as refused:
        GraphExecutionEntry.from_json(body)
    assert str(refused.value)


@pytest.mark.parametrize("zone", ["", "not-set"])
def test_an_unset_time_zone_is_utc(zone: str) -> None:
    assert ExecutionContext(user_timezone=zone).user_timezone == "UTC"
    assert ExecutionContext().user_timezone == "UTC"


def test_every_node_execution_has_its_own_context() -> None:
    context = ExecutionContext(user_id="ada", graph_exec_id="run")
    own = context.for_node("n", "run.1")
    assert (own.node_id, own.node_exec_id, own.user_id) == ("n", "run.1", "ada")
    assert (context.node_id, context.node_exec_id) == ("", "")


def test_the_run_queue() -> None:
    config = create_execution_queue_config()
    assert config.vhost == "/"
    exchange = config.exchange("graph_execution")
    assert (exchange.type, exchange.durable) == ("direct", True)
    queue = config.queue("graph_execution_queue")
    assert (queue.exchange, queue.routing_key) == ("graph_execution", "graph_execution.run")
    assert (queue.durable, queue.exclusive, queue.auto_delete) == (True, False, False)
    assert queue.arguments["x-consumer-timeout"] == 86_400_000
    assert queue.arguments["x-queue-type"] == "quorum"
    assert int(queue.arguments["x-delivery-limit"]) > 0


def test_what_is_given_up_goes_to_the_dead_letter_queue() -> None:
    config = create_execution_queue_config()
    run = config.queue("graph_execution_queue")
    exchange = str(run.arguments["x-dead-letter-exchange"])
    [dead] = config.bound_to(exchange)
    assert config.exchange(exchange).durable
    assert dead.routing_key == run.arguments["x-dead-letter-routing-key"]
    assert dead.durable
    assert "x-dead-letter-exchange" not in dead.arguments


def test_each_worker_has_a_cancel_queue_of_its_own() -> None:
    one, two, named = (
        create_execution_queue_config(),
        create_execution_queue_config(),
        create_execution_queue_config("w1"),
    )
    exchange = one.exchange("graph_execution_cancel")
    assert (exchange.type, exchange.durable) == ("fanout", True)
    [first], [second], [third] = (list(each.bound_to("graph_execution_cancel")) for each in (one, two, named))
    assert len({first.name, second.name, third.name}) == 3
    assert third == next(create_execution_queue_config("w1").bound_to("graph_execution_cancel"))
    for queue in (first, second, third):
        assert queue.exclusive
        assert queue.auto_delete
        assert not queue.durable


def test_queues_for_brokers_without_replicated_ones() -> None:
    config = create_execution_queue_config(quorum=False)
    run = config.queue("graph_execution_queue")
    assert "x-queue-type" not in run.arguments
    assert run.arguments["x-consumer-timeout"] == 86_400_000
    assert run.arguments["x-dead-letter-exchange"]


def test_the_configuration_is_only_data() -> None:
    code = "import sys, actbook.bridge; assert not {'aio_pika', 'aiormq', 'pamqp', 'nats'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
