"""Simulation scripts: what is accepted, and what the messages say."""

from __future__ import annotations

from typing import Any

import pytest

from actbook.blocks import SimulationScriptError, read_script
from actbook.blocks._script import checked_script


@pytest.mark.parametrize(
    ("document", "runs"),
    [
        ({"k": {"a": 1, "b": None}}, ((("a", 1), ("b", None)),)),
        ({"k": [[["a", 1], ["a", 2]], []]}, ((("a", 1), ("a", 2)), ())),
        ({"k": [{"a": [1]}, [["error", "no"]]]}, ((("a", [1]),), (("error", "no"),))),
    ],
)
def test_runs(document: dict[str, Any], runs: Any) -> None:
    assert checked_script(document) == {"k": runs}


def test_a_script_is_read_from_json() -> None:
    assert read_script(b'{"k": {"a": 1}}') == {"k": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("{", "as a whole", "this is not JSON"),
        ("[1]", "as a whole", "must be an object"),
        ('{"k": []}', "'k'", "must be a list of runs"),
        ('{"k": "a"}', "'k'", "must be a list of runs"),
        ('{"k": [["a", 1]]}', "'k', run 1", "'a' is no"),
        ('{"k": [[["a", 1]], [["a"]]]}', "'k', run 2", "['a'] is no"),
        ('{"k": [[[1, "a"]]]}', "'k', run 1", "[1, 'a'] is no"),
        ('{"k": [5]}', "'k', run 1", "a run is a list"),
    ],
)
def test_errors_tell_the_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(SimulationScriptError) as caught:
        read_script(text)
    assert caught.value.place == place
    assert reason in caught.value.reason
    assert str(caught.value) == f"Simulation script, {place}: {caught.value.reason}"
