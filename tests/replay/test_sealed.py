"""Sealed executions in archives, exports and reports: the bytes travel as they are, and values are told by who has the keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, World, effect, finish, pure
from tests.replay.evidence import chain

from actbook.bridge._relay_outbox import read_page
from actbook.engine import Engine, ValuesForgottenError
from actbook.journal import MemoryStore, PayloadKeyError, SQLiteStore, Store, verify_chain
from actbook.journal.keys import KeyRing, MasterKey, generate_master_key, open_payload_keys
from actbook.replay import (
    Choice,
    archive_executions,
    check_archive,
    discard_executions,
    ended_trees,
    restore_archive,
    verify_store,
    verify_streams,
)
from actbook.replay.export import (
    DamagedExportError,
    Selection,
    export_cloudevents,
    export_ocel,
    export_xes,
    import_cloudevents,
    report,
)

CANARY = "canary-7f3a9c"
BIG = CANARY + " sings " * 30_000
MASTER = MasterKey(generate_master_key())
LATER = 10**18


def world() -> World:
    return World(Echo=pure(), Paid=effect())


def keys_in(folder: Path) -> KeyRing:
    return open_payload_keys(f"sqlite:///{folder}/k.db", MASTER)


def fill(folder: Path) -> list[str]:
    """Two executions, one with a big value; their ids."""

    async def make() -> list[str]:
        here = world()
        with keys_in(folder) as keys:
            async with here.open(f"sqlite:///{folder}/s.db", payload_keys=keys, snapshot_every=2) as engine:
                ran = [await finish(engine, chain(here), inputs={"x": value}) for value in (CANARY, BIG)]
                await engine.catch_up(PATIENCE)
                return [each.id for each in ran]

    return asyncio.run(make())


def content(store: Store) -> list[tuple[Any, ...]]:
    return [tuple(row)[1:] for row in store.log_rows(0, None)]


def faults(path: Path) -> list[Any]:
    return [fault for each in verify_store(path) for fault in each.faults]


def written(path: Path, store: Store) -> Path:
    path.write_bytes(b"".join(export_cloudevents(store, Selection())))
    return path


def test_an_archive_holds_the_sealed_bytes_and_gives_them_back(tmp_path: Path) -> None:
    small, big = fill(tmp_path)
    store = SQLiteStore(str(tmp_path / "s.db"))
    before, file = content(store), tmp_path / "old.archive"
    with keys_in(tmp_path) as keys:
        store.keys = keys
        chosen = ended_trees(store, Choice(LATER))
        assert set(chosen) == {small, big}
        archive_executions(store, [big], file, 1)
        discarded = len([row for row in before if row[0] == small])
        assert store.read_stream(big) == []
        assert faults(tmp_path / "s.db") == []
        checked = check_archive(file)
        assert not checked.faults
        restore_archive(store, file)
        assert sorted(content(store)) == sorted(before)
        assert CANARY in repr(store.read_stream(big))
        keys.retire(USER)
        keys.destroy(USER)
        assert CANARY not in repr(store.read_stream(big))
        assert discard_executions(store, [small], 1) == discarded
        assert "[forgotten]" in repr(store.read_stream(big))
    store.close()
    assert faults(tmp_path / "s.db") == []


def test_an_export_gives_the_identical_history_with_or_without_keys(tmp_path: Path) -> None:
    ids = fill(tmp_path)
    store = SQLiteStore(str(tmp_path / "s.db"))
    without = written(tmp_path / "without.jsonl", store)
    with keys_in(tmp_path) as keys:
        store.keys = keys
        told = written(tmp_path / "told.jsonl", store)
        keys.retire(USER)
        keys.destroy(USER)
        forgotten = written(tmp_path / "forgotten.jsonl", store)
        assert CANARY not in without.read_text()
        assert CANARY in told.read_text()
        assert CANARY not in forgotten.read_text()
        assert '"[forgotten]"' in forgotten.read_text()
        for file in (without, told, forgotten):
            target = MemoryStore()
            import_cloudevents(target, file)
            assert content(target) == content(store)
            assert verify_chain(target.log_rows(0, None)) == []
            assert [fault for each in verify_streams(target) for fault in each.faults] == []
            target.keys = keys
            assert "[forgotten]" in repr(target.read_stream(ids[0]))
            target.close()
    store.close()


def test_structure_of_a_sealed_line_can_not_be_edited(tmp_path: Path) -> None:
    fill(tmp_path)
    store = SQLiteStore(str(tmp_path / "s.db"))
    lines = list(export_cloudevents(store, Selection()))
    store.close()
    number, queued = next(
        (i, json.loads(line)) for i, line in enumerate(lines) if b'"actbook.node.queued"' in line
    )
    for name, value in (("node_id", "elsewhere"), ("data", {}), ("data", ["[sealed]"])):
        edited = {**queued, "data": {**queued["data"], name: value}}
        file = tmp_path / "edited.jsonl"
        file.write_bytes(
            b"".join([*lines[:number], json.dumps(edited).encode() + b"\n", *lines[number + 1 :]])
        )
        with pytest.raises(DamagedExportError, match=f"data.{name}"):
            import_cloudevents(MemoryStore(), file)


def test_reports_and_process_mining_show_what_may_still_be_read(tmp_path: Path) -> None:
    small, _ = fill(tmp_path)

    async def look(engine: Engine) -> str:
        store, page = engine.journal.store, report(await engine.history(small))
        mined = "".join(map(str, export_ocel(store, Selection()))) + "".join(
            map(str, export_xes(store, Selection()))
        )
        assert mined
        return page

    async def run() -> None:
        here = world()
        with keys_in(tmp_path) as keys:
            async with here.open(f"sqlite:///{tmp_path}/s.db", payload_keys=keys) as engine:
                assert CANARY in await look(engine)
                await engine.forget_keys(USER)
                page = await look(engine)
                assert CANARY not in page
                assert "[forgotten]" in page

    asyncio.run(run())


def test_a_relay_publishes_what_it_has_the_keys_for(tmp_path: Path) -> None:
    fill(tmp_path)
    store = SQLiteStore(str(tmp_path / "s.db"))
    assert "[sealed]" in repr(read_page(store, 0))
    assert CANARY not in repr(read_page(store, 0))
    with keys_in(tmp_path) as keys:
        store.keys = keys
        assert CANARY in repr(read_page(store, 0))
        keys.retire(USER)
        keys.destroy(USER)
        assert "[forgotten]" in repr(read_page(store, 0))
    store.close()


def test_a_wrong_master_key_is_an_error_and_no_forgetting(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(PayloadKeyError):
        open_payload_keys(f"sqlite:///{tmp_path}/k.db", generate_master_key())
    with open_payload_keys(f"sqlite:///{tmp_path}/other.db", MASTER) as others:
        store = SQLiteStore(str(tmp_path / "s.db"))
        store.keys = others
        with pytest.raises(PayloadKeyError):
            b"".join(export_cloudevents(store, Selection()))
        store.close()


def test_an_imported_execution_that_was_forgotten_can_not_go_on(tmp_path: Path) -> None:
    async def run() -> None:
        here, path = world(), tmp_path / "s.db"
        asked = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        with keys_in(tmp_path) as keys:
            async with here.open(f"sqlite:///{path}", payload_keys=keys) as engine:
                saved = await engine.save_graph(asked, USER)
                waiting = await engine.add_graph_execution(saved.id, USER, {"x": CANARY})
                await engine.wait(waiting.id, PATIENCE)
                file = written(tmp_path / "open.jsonl", engine.journal.store)
                await engine.stop_graph_execution(USER, waiting.id)
                await engine.catch_up(PATIENCE)
                await engine.forget_keys(USER)
            target = SQLiteStore(str(tmp_path / "t.db"))
            import_cloudevents(target, file)
            target.close()
            async with here.open(f"sqlite:///{tmp_path}/t.db", payload_keys=keys) as engine:
                with pytest.raises(ValuesForgottenError):
                    await engine.resume(USER, waiting.id)

    asyncio.run(run())
