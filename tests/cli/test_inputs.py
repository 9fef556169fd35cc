"""How `--input` is read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._inputs import check_inputs, parse_pair, read_inputs
from actbook.cli._problems import InvalidError, UsageError

NAMES = st.text(st.characters(categories=("L", "N"), include_characters=" _-!?"), min_size=1).filter(
    str.strip
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("pair", "name", "value"),
    [
        ("a=8", "a", 8),
        ("a=8.5", "a", 8.5),
        ("a=true", "a", True),
        ("a=null", "a", None),
        ('a="8"', "a", "8"),
        ("a=[1, 2]", "a", [1, 2]),
        ("a=text", "a", "text"),
        ("a=", "a", ""),
        ("a=b=c", "a", "b=c"),
        ("a=NaN", "a", "NaN"),
        ("a=1e999", "a", "1e999"),
        ("Search Query= x", "Search Query", " x"),
        ("a:=8", "a", 8),
        ('a:="@x"', "a", "@x"),
    ],
)
def test_a_value_is_json_when_it_is_json(pair: str, name: str, value: Any) -> None:
    assert parse_pair(pair) == (name, value)
    assert type(parse_pair(pair)[1]) is type(value)


@given(NAMES, VALUES)
def test_strict_json_comes_back_as_it_is(name: str, value: Any) -> None:
    assert parse_pair(f"{name}:={json.dumps(value)}") == (name.strip(), value)


@given(st.text())
def test_any_text_is_a_pair_or_a_usage_error(text: str) -> None:
    if "=@" in text:
        return
    with suppress(UsageError):
        name, _ = parse_pair(text)
        assert name == name.strip() != ""


def test_a_file_gives_its_text_or_its_json(tmp_path: Path) -> None:
    file = tmp_path / "data.txt"
    file.write_text("[1, 2]\n", "utf-8")
    assert parse_pair(f"a=@{file}") == ("a", "[1, 2]\n")
    assert parse_pair(f"a:=@{file}") == ("a", [1, 2])


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"a": 1, "b": 2}', "utf-8")
    assert read_inputs(["b=3"], file) == {"a": 1, "b": 3}


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="given twice"):
        read_inputs(["a=1", "a=2"], None)


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "needs the inputs Name, Full Name. Add --input Name=… --input 'Full Name'=…"),
        ({"Name": 1}, "needs the input Full Name. Add --input 'Full Name'=…"),
        ({"Nane": 1}, "no input Nane; it takes Name, Full Name, Age. Did you mean Name?"),
        ({"zzzz": 1}, "no input zzzz; it takes Name, Full Name, Age. Correct the name."),
    ],
)
def test_missing_and_unknown_inputs_are_named_with_the_remedy(inputs: dict[str, Any], text: str) -> None:
    schema = {"properties": {"Name": {}, "Full Name": {}, "Age": {}}, "required": ["Name", "Full Name"]}
    with pytest.raises(InvalidError) as caught:
        check_inputs(schema, inputs)
    assert text in str(caught.value)


def test_a_graph_without_inputs_takes_none() -> None:
    with pytest.raises(InvalidError, match="takes no inputs, so a can't be given"):
        check_inputs({"properties": {}, "required": []}, {"a": 1})


def test_a_run_gets_them(shell: Shell) -> None:
    (shell.folder / "inputs.json").write_text('{"Input": 1}')
    assert shell.run(graphs.adder(), "--inputs-file", "inputs.json")["outputs"] == {"Output": [35.0]}
    assert shell.run(graphs.adder(), "--inputs-file", "inputs.json", "--input", "Input=8")["outputs"] == {
        "Output": [42.0]
    }
