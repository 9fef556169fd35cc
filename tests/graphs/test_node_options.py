"""Retry policies, and what a node's metadata says about running it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.graphs.sample_blocks import AddBlock, ShownBlock, lookup

from actbook.graphs import (
    AGENT_BLOCK_ID,
    Block,
    BlockDefinitionError,
    Graph,
    Link,
    Node,
    NodeOptions,
    Plan,
    RetryPolicy,
    validate_structure,
)


class CarefulBlock(AddBlock):
    id = "10000000-0000-4000-8000-0000000000f1"
    retry = RetryPolicy(attempts=5)
    execution_timeout_seconds = 30.0


def options_of(block: type[Block], metadata: dict[str, Any]) -> NodeOptions:
    node = Node(id="n", block_id=block.id, metadata=metadata)
    return Plan.compile(Graph(nodes=[node]), lambda _id: block()).nodes["n"].options


def faults(metadata: dict[str, Any], *, for_run: bool = True) -> dict[str, str]:
    node = Node(id="a", block_id=AddBlock.id, input_default={"a": 1, "b": 2}, metadata=metadata)
    return validate_structure(Graph(nodes=[node]), lookup, for_run=for_run).get("a", {})


def test_without_metadata_the_block_decides() -> None:
    assert options_of(AddBlock, {}) == NodeOptions()
    assert options_of(CarefulBlock, {}) == NodeOptions(RetryPolicy(attempts=5), 30.0)
    assert options_of(CarefulBlock, {"position": {"x": 1}}) == NodeOptions(RetryPolicy(attempts=5), 30.0)


def test_the_node_wins() -> None:
    metadata = {"retry": {"attempts": 2, "errors": ["OSError"]}, "timeout_seconds": 1, "error_pin": True}
    expected = NodeOptions(RetryPolicy(attempts=2, errors=("OSError",)), 1.0, True)
    assert options_of(CarefulBlock, metadata) == expected


def test_a_time_limit_of_zero_is_none() -> None:
    assert options_of(CarefulBlock, {"timeout_seconds": 0}).timeout is None


def test_nulls_count_as_not_given() -> None:
    nulls = {"retry": None, "timeout_seconds": None, "error_pin": None}
    assert faults(nulls) == {}
    assert options_of(CarefulBlock, nulls) == NodeOptions(RetryPolicy(attempts=5), 30.0)


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"attempts": 0}, "`attempts` must be 1 or more: the first one counts."),
        ({"attempts": "3"}, "Expected `int`, got `str` - at `$.attempts`"),
        ({"initial_seconds": -1}, "`initial_seconds` must be between 0 and 31622400, not -1."),
        ({"factor": 0.5}, "`factor` must be between 1 and 1e+09, not 0.5."),
        ({"max_seconds": float("nan")}, "`max_seconds` must be between 0 and 31622400, not nan."),
        ({"jitter": 2}, "`jitter` must be between 0 and 1, not 2."),
        ({"tries": 3}, "Object contains unknown field `tries`"),
        (3, "Expected `object`, got `int`"),
        ({"errors": "OSError"}, "Expected `array`, got `str` - at `$.errors`"),
    ],
)
def test_a_malformed_policy_is_a_fault_of_its_node(policy: Any, text: str) -> None:
    assert faults({"retry": policy}) == {"metadata.retry": f"Not a retry policy: {text}"}
    assert faults({"retry": policy}, for_run=False)
    assert options_of(CarefulBlock, {"retry": policy}).retry == RetryPolicy(attempts=5)


@pytest.mark.parametrize("value", ["5", True, -1, float("nan"), float("inf"), 10**400, []])
def test_a_malformed_time_limit_is_a_fault_of_its_node(value: Any) -> None:
    text = "Must be a number of seconds up to a year, 0 for no cap"
    assert faults({"timeout_seconds": value}) == {"metadata.timeout_seconds": text}
    assert options_of(CarefulBlock, {"timeout_seconds": value}).timeout == 30.0


def test_a_malformed_error_pin_is_a_fault_of_its_node() -> None:
    assert faults({"error_pin": "yes"}) == {"metadata.error_pin": "Must be true or false"}


def test_an_agents_error_is_a_pin_by_option_only() -> None:
    def graph(**metadata: Any) -> Graph:
        schema = {"type": "object", "properties": {"y": {}}}
        constants = {"graph_id": "child", "inputs": {}, "input_schema": {}, "output_schema": schema}
        agent = Node(id="a", block_id=AGENT_BLOCK_ID, input_default=constants, metadata=metadata)
        shown = Node(id="o", block_id=ShownBlock.id, input_default={"name": "o"})
        link = Link(source_id="a", source_name="error", sink_id="o", sink_name="value")
        return Graph(nodes=[agent, shown], links=[link])

    assert validate_structure(graph(error_pin=True), lookup, for_run=True) == {}
    for metadata in ({}, {"error_pin": False}):
        with pytest.raises(ValueError, match="`error` invalid, Allowed fields: y"):
            validate_structure(graph(**metadata), lookup, for_run=True)


def test_a_block_declares_a_policy_or_none() -> None:
    with pytest.raises(BlockDefinitionError, match="`retry` must be a RetryPolicy or None, not 3"):
        type("WrongBlock", (AddBlock,), {"id": CarefulBlock.id, "retry": 3})


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="`jitter` must be between 0 and 1"):
        RetryPolicy(jitter=-0.1)


def test_pauses_grow_to_their_bound() -> None:
    policy = RetryPolicy(initial_seconds=1, factor=3, max_seconds=20, jitter=0)
    assert [policy.pause(failures, 0.9) for failures in (1, 2, 3, 4, 10**6)] == pytest.approx(
        [1, 3, 9, 20, 20]
    )


def test_jitter_leaves_out_up_to_its_part_of_a_pause() -> None:
    policy = RetryPolicy(initial_seconds=10, jitter=0.5)
    assert [policy.pause(1, chance) for chance in (0.0, 0.5, 0.999)] == pytest.approx([10, 7.5, 5.005])
