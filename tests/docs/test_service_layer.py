"""The page of the service layer agrees with the code."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest
from tests.docs.snippets import ROOT

_PAGE = (ROOT / "docs" / "reference" / "service-layer.md").read_text("utf-8")
_FUNCTIONS = re.findall(r"^\| `(\w+)\((.*?)\)` \| `([\w.]+)` \| (await)? ?\|$", _PAGE, re.MULTILINE)
_CLASSES = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \| .+ \|$", _PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "arguments", "module", "waits"), _FUNCTIONS)
def test_each_function_is_there_and_takes_these_arguments(
    name: str, arguments: str, module: str, waits: str
) -> None:
    function = getattr(import_module(module), name)
    assert name in import_module(module).__all__
    parameters = inspect.signature(function).parameters.values()
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert positional == arguments.split(", ")
    further = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    assert all(each.default is not each.empty for each in further)
    assert inspect.iscoroutinefunction(function) is bool(waits)


@pytest.mark.parametrize(("name", "module"), _CLASSES)
def test_each_class_is_there(name: str, module: str) -> None:
    assert inspect.isclass(getattr(import_module(module), name))
    assert name in import_module(module).__all__


def test_the_tables_were_found() -> None:
    assert (len(_FUNCTIONS), len(_CLASSES)) == (18, 6)
    methods = re.search(r"as methods: (.+?) \|", _PAGE)
    assert methods is not None
    engine = import_module("actbook.engine").Engine
    assert all(callable(getattr(engine, name)) for name in re.findall(r"`(\w+)`", methods[1]))
