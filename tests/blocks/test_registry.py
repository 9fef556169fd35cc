"""The registry: singletons, duplicates, lazy modules, plug-ins, registries of one's own."""

from __future__ import annotations

import importlib.metadata
import sys
import types
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actbook.blocks import BlockPluginWarning, DuplicateBlockError, Registry, block, default_registry
from actbook.blocks.standard import STANDARD_BLOCKS
from actbook.graphs import Block, BlockDefinitionError, ExecutionContext, UnknownBlock

ONE = "0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a01"
TWO = "0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a02"


class _Plain(Block):
    class Input(msgspec.Struct):
        text: str = ""

    class Output(msgspec.Struct):
        text: str

    def run(self, input: Any, context: ExecutionContext) -> Iterator[tuple[str, Any]]:
        yield "text", input.text


class FirstBlock(_Plain):
    id = ONE


class SecondBlock(_Plain):
    id = ONE


class OtherBlock(_Plain):
    id = TWO


def test_a_registered_block_is_one_instance() -> None:
    registry = Registry()
    assert registry.register(FirstBlock) is FirstBlock
    found = registry.lookup(ONE)
    assert isinstance(found, FirstBlock)
    assert registry.lookup(ONE) is found
    assert ONE in registry
    assert TWO not in registry


def test_the_same_class_may_be_registered_twice() -> None:
    registry = Registry()
    registry.register(FirstBlock)
    found = registry.lookup(ONE)
    registry.register(FirstBlock)
    assert registry.lookup(ONE) is found


def test_two_classes_cannot_share_an_id() -> None:
    registry = Registry()
    registry.register(FirstBlock)
    with pytest.raises(DuplicateBlockError, match="give one of them a new UUID") as caught:
        registry.register(SecondBlock)
    assert caught.value.block_id == ONE
    assert caught.value.first.endswith(":FirstBlock")
    assert caught.value.second.endswith(":SecondBlock")


def test_a_standard_id_is_taken_before_its_module_is_loaded() -> None:
    registry = Registry(table={ONE: "nowhere:NothingBlock"})
    with pytest.raises(DuplicateBlockError):
        registry.register(FirstBlock)


def test_a_class_without_an_id_is_refused() -> None:
    with pytest.raises(BlockDefinitionError, match="no `id`"):
        Registry().register(_Plain)


def test_an_unknown_id_is_none_or_a_stand_in() -> None:
    registry = Registry()
    assert registry.lookup(ONE) is None
    stand_in = registry.get(ONE)
    assert isinstance(stand_in, UnknownBlock)
    assert stand_in.disabled


def test_a_registry_of_its_own_shadows_its_parent() -> None:
    parent = Registry()
    parent.register(FirstBlock)
    parent.register(OtherBlock)
    own = Registry(parent=parent)
    own.register(SecondBlock)
    assert isinstance(own.lookup(ONE), SecondBlock)
    assert isinstance(parent.lookup(ONE), FirstBlock)
    assert own.lookup(TWO) is parent.lookup(TWO)
    assert [found.name for found in own] == ["OtherBlock", "SecondBlock"]


def test_decorator_with_and_without_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Registry()
    assert block(registry=own)(FirstBlock) is FirstBlock
    assert isinstance(own.lookup(ONE), FirstBlock)
    monkeypatch.setattr("actbook.blocks._registry._default", own)
    assert block(OtherBlock) is OtherBlock
    assert isinstance(own.lookup(TWO), OtherBlock)


def test_a_notebook_may_define_its_class_again() -> None:
    def define() -> type[Block]:
        return type("CellBlock", (_Plain,), {"id": ONE, "__module__": "__main__"})

    registry = Registry()
    registry.register(define())
    again = registry.register(define())
    assert type(registry.lookup(ONE)) is again


def test_all_standard_blocks_can_be_loaded_by_id() -> None:
    for block_id, path in STANDARD_BLOCKS.items():
        found = default_registry().lookup(block_id)
        assert found is not None
        assert found.id == block_id
        assert found.name == path.rpartition(":")[2] == type(found).__name__


class _Entry:
    """What `importlib.metadata` gives for one plug-in."""

    def __init__(self, name: str, loaded: Any) -> None:
        self.name = name
        self.value = f"{name}.module"
        self._loaded = loaded

    def load(self) -> Any:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def _install(monkeypatch: pytest.MonkeyPatch, *entries: _Entry) -> list[str]:
    asked: list[str] = []

    def entry_points(*, group: str) -> list[_Entry]:
        asked.append(group)
        return list(entries)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    return asked


def test_plug_ins_are_loaded_when_an_id_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_plugin")
    plugged = type("PluggedBlock", (_Plain,), {"id": TWO, "__module__": "a_plugin"})
    vars(module).update(PluggedBlock=plugged, Imported=_Plain, Block=Block)
    asked = _install(monkeypatch, _Entry("as_class", FirstBlock), _Entry("as_module", module))
    registry = Registry(plugins="some.group")
    assert asked == []
    assert type(registry.lookup(TWO)) is plugged
    assert isinstance(registry.lookup(ONE), FirstBlock)
    assert registry.lookup("0a2b1f43-3f4a-4a1f-9a55-0d2c6a3a4a09") is None
    assert asked == ["some.group"]


def test_a_package_that_shows_the_blocks_of_its_modules_is_a_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("shop")
    inside = type("InsideBlock", (_Plain,), {"id": ONE, "__module__": "shop._tax"})
    beside = type("BesideBlock", (_Plain,), {"id": TWO, "__module__": "shopping"})
    vars(package).update(InsideBlock=inside, BesideBlock=beside)
    _install(monkeypatch, _Entry("shop", package))
    registry = Registry(plugins="some.group")
    assert type(registry.lookup(ONE)) is inside
    assert registry.lookup(TWO) is None


def test_a_broken_plug_in_is_named_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(
        monkeypatch,
        _Entry("bad", ImportError("no module named nothing")),
        _Entry("good", FirstBlock),
        _Entry("odd", 42),
    )
    registry = Registry(plugins="some.group")
    with pytest.warns(BlockPluginWarning) as warned:
        assert isinstance(registry.lookup(ONE), FirstBlock)
    texts = [str(each.message) for each in warned]
    assert texts[0] == "Block plug-in bad (bad.module): ImportError: no module named nothing"
    assert "odd" in texts[1]
    assert registry.lookup(TWO) is None


def test_importing_the_package_is_cheap() -> None:
    """Engines, standard blocks, and the simulation are loaded when they are needed."""
    import subprocess

    code = (
        "import sys, actbook.blocks as b;"
        "b.default_registry().lookup('b1ab9b19-67a6-406d-abf5-2dba76d00c79');"
        "heavy = {'jinja2', 'regex', 'csv', 'zoneinfo', 'importlib.metadata', 'actbook.blocks._stand_in',"
        " 'actbook.blocks.standard.text'} & set(sys.modules); assert not heavy, heavy;"
        "assert 'actbook.blocks.standard.numbers' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import actbook.blocks

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = actbook.blocks.no_such_name
