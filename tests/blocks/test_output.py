"""The OUTPUT block."""

from __future__ import annotations

from typing import Any

import pytest

from actbook.blocks.standard.outputs import AgentOutputBlock
from actbook.blocks.testing import assert_outputs


@pytest.mark.parametrize("value", [None, 0, "", [1], {"a": None}, "text"])
def test_without_format_the_value_then_the_name(value: Any) -> None:
    assert_outputs(AgentOutputBlock, {"name": "Out", "value": value}, ("output", value), ("name", "Out"))


def test_with_format_only_the_rendered_text() -> None:
    data = {"name": "out", "value": {"a": "<x>"}, "format": "v={{ out.a }}"}
    assert_outputs(AgentOutputBlock, data, ("output", "v=<x>"))
    assert_outputs(AgentOutputBlock, {**data, "escape_html": True}, ("output", "v=&lt;x&gt;"))


@pytest.mark.parametrize(
    ("name", "form", "text"),
    [
        ("my out", "{{ my out }}", "Error: expected token 'end of print statement', got 'out', v"),
        ("out", "{{ other.attribute }}", "Error: 'other' is undefined, v"),
        ("out", "{{ out | tojson }}", "Error: No filter named 'tojson'., v"),
    ],
)
def test_a_failing_template_is_no_error(name: str, form: str, text: str) -> None:
    assert_outputs(AgentOutputBlock, {"name": name, "value": "v", "format": form}, ("output", text))
