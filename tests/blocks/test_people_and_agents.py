"""Blocks that an engine carries out itself, run alone."""

from __future__ import annotations

from actbook.blocks.standard.agents import AgentExecutorBlock
from actbook.blocks.standard.people import HumanInTheLoopBlock
from actbook.blocks.testing import assert_outputs, error_of


def test_a_review_run_alone_approves_itself() -> None:
    assert_outputs(
        HumanInTheLoopBlock,
        {"data": {"a": 1}, "name": "check"},
        ("approved_data", {"a": 1}),
        ("review_message", "Auto-approved (safe mode disabled)"),
    )


def test_a_sub_graph_needs_an_engine() -> None:
    text = error_of(AgentExecutorBlock, {"inputs": {}, "input_schema": {}, "output_schema": {}})
    assert text.endswith("sub-graphs are run by the engine, use Engine.execute")
