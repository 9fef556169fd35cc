"""Executions that ended leave the store for a file, and come back as they were."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.replay.archiving import AT, Shelf
from tests.replay.evidence import BIG, KEY, fill, sign

from actbook.events import Append, CancelRequested, Draft, inbox_of
from actbook.journal import ArchiveFileError, MemoryStore, SQLiteStore, StreamArchivedError
from actbook.replay import (
    ArchiveError,
    CheckpointError,
    Checkpoints,
    Choice,
    archive_executions,
    check_archive,
    ended_trees,
    restore_archive,
    trees_of,
)
from actbook.replay.proof import Checkpoint


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("sound") / "store.db"
    fill(path)
    return path, sign(path)


@pytest.fixture
def shelf(tmp_path: Path, sound: tuple[Path, str]) -> Shelf:
    return Shelf(tmp_path, *sound)


def test_what_left_comes_back_as_it_was(shelf: Shelf) -> None:
    left = shelf.archive()
    assert left == len(shelf.before[0]) - len(shelf.rows("SELECT * FROM events")) > 100
    assert not shelf.rows("SELECT * FROM blobs")
    restored = restore_archive(shelf.store, shelf.file)
    assert restored.events == left
    assert shelf.content() == shelf.before
    assert shelf.faults() == []
    assert not shelf.rows("SELECT * FROM archived_streams") + shelf.rows("SELECT * FROM archived_events")
    assert restore_archive(shelf.store, shelf.file) == ((), 0)
    assert shelf.content() == shelf.before


def test_the_rest_of_the_log_verifies_and_the_views_stay(shelf: Shelf) -> None:
    shelf.archive()
    assert shelf.faults() == []
    assert shelf.content()[3:] == shelf.before[3:]
    assert BIG.encode() not in shelf.file.read_bytes()
    assert check_archive(shelf.file).faults == []


def test_checkpoints_continue_over_what_left(shelf: Shelf) -> None:
    shelf.archive()
    with Checkpoints(shelf.store) as checkpoints:
        added = Draft(CancelRequested("ada", "later"), AT)
        assert not isinstance(shelf.store.write([Append("inbox:new", None, [added])])[0], Exception)
        newest = checkpoints.write(KEY)
        assert newest.size == shelf.kept.size + 1
        assert checkpoints.prove_extension(shelf.kept)["old"] == shelf.kept.text
        with pytest.raises(CheckpointError, match="restore it to prove"):
            checkpoints.prove_event(check_archive(shelf.file).executions[0], 1)
    assert shelf.faults() == []


def test_a_tree_that_is_begun_after_the_archive_is_over_the_whole_log(shelf: Shelf) -> None:
    for table in ("checkpoints", "checkpoint_tiles"):
        shelf.execute(f"DELETE FROM {table}")
    shelf.archive()
    with Checkpoints(shelf.store) as checkpoints:
        assert checkpoints.write(KEY).root == shelf.kept.root
    restore_archive(shelf.store, shelf.file)
    assert shelf.faults() == []


def test_positions_are_never_used_again(shelf: Shelf) -> None:
    last = shelf.store.last_position()
    shelf.archive()
    assert shelf.store.last_position() == last
    draft = Draft(CancelRequested("ada", "later"), AT)
    [appended] = shelf.store.write([Append("inbox:new", None, [draft])])
    assert not isinstance(appended, Exception)
    assert appended.position == last + 1
    restore_archive(shelf.store, shelf.file)
    [row] = shelf.store.read_rows("inbox:new")
    assert row.position == last + 1


def test_nothing_is_added_to_what_left_and_the_same_commit_writes_the_rest(shelf: Shelf) -> None:
    gone = shelf.chosen()[0]
    other = SQLiteStore(str(shelf.path))
    shelf.archive()
    draft = Draft(CancelRequested("ada", "no"), AT)
    for store in (shelf.store, other):
        for stream, expected in ((gone, 0), (gone, None), (inbox_of(gone), None)):
            good = Append("inbox:elsewhere", None, [draft])
            refused, written = store.write([Append(stream, expected, [draft]), good])
            assert isinstance(refused, StreamArchivedError), (stream, expected)
            assert (refused.stream_id, refused.file) == (stream, str(shelf.file))
            assert not isinstance(written, Exception)
        reopened = Append(gone, None, [], lifecycle="open")
        [refused] = store.write([Append(inbox_of(gone), None, [draft], also=(reopened,))])
        assert isinstance(refused, StreamArchivedError)
    assert shelf.faults() == []


def test_a_thousand_changed_bytes_of_an_archive_are_found(shelf: Shelf) -> None:
    shelf.archive()
    whole = shelf.file.read_bytes()
    damaged = shelf.file.with_suffix(".damaged")
    chance = random.Random("archive")
    for number in range(1000):
        raw = bytearray(whole)
        raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
        damaged.write_bytes(raw)
        assert check_archive(damaged).faults, number
    for cut in range(0, len(whole), 97):
        damaged.write_bytes(whole[:cut])
        assert check_archive(damaged).faults, cut
    before = shelf.rows("SELECT * FROM events")
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ArchiveFileError, match="changed"):
        restore_archive(shelf.store, damaged)
    assert shelf.rows("SELECT * FROM events") == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM archived_events WHERE position=(SELECT min(position) FROM archived_events)",
        "UPDATE archived_events SET leaf=zeroblob(32) WHERE position=(SELECT max(position) FROM archived_events)",
        "DELETE FROM archived_streams WHERE version>3",
        "UPDATE archives SET events=events+1",
        "DELETE FROM archives",
        "INSERT INTO archived_events SELECT position, 1, zeroblob(32) FROM events LIMIT 1",
    ],
)
def test_changes_to_what_is_kept_of_those_that_left_are_found(shelf: Shelf, sql: str) -> None:
    shelf.archive()
    shelf.execute(sql)
    assert shelf.faults()


def test_events_deleted_by_somebody_else_are_still_found(shelf: Shelf) -> None:
    shelf.archive()
    shelf.execute("DELETE FROM events WHERE position=(SELECT max(position) FROM events)")
    assert any(fault.kind in ("removed", "index") for fault in shelf.faults())


def test_an_archive_of_another_store_is_refused(
    shelf: Shelf, tmp_path: Path, sound: tuple[Path, str]
) -> None:
    shelf.archive()
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = SQLiteStore(str(other_folder / "empty.db"))
    with pytest.raises(ArchiveError, match="another store"):
        restore_archive(other, shelf.file)
    with pytest.raises(ArchiveError, match="in a file"):
        restore_archive(MemoryStore(), shelf.file)
    copy = Shelf(other_folder, *sound)
    assert restore_archive(copy.store, shelf.file) == ((), 0), "all of it is there"


def test_a_file_is_never_overwritten_and_a_refusal_leaves_none(shelf: Shelf) -> None:
    shelf.file.write_text("mine")
    with pytest.raises(ArchiveFileError, match="already"):
        shelf.archive()
    assert shelf.file.read_text() == "mine"
    shelf.file.unlink()
    gone = shelf.chosen()[0]
    shelf.execute("INSERT INTO unfinished VALUES(?, 1, 0, NULL, NULL)", gone)
    with pytest.raises(ArchiveError, match="goes on"):
        shelf.archive()
    assert list(shelf.file.parent.glob("*one.archive*")) == []
    shelf.execute("DELETE FROM unfinished")
    assert shelf.content() == shelf.before


def test_a_damaged_stream_does_not_leave(shelf: Shelf) -> None:
    shelf.execute("UPDATE events SET at=at+1 WHERE topic='node.started' AND version>4")
    with pytest.raises(ArchiveError, match="damaged"):
        shelf.archive()
    assert not shelf.file.exists()


def test_what_was_discarded_is_gone_and_proofs_stay(shelf: Shelf) -> None:
    assert shelf.discard() > 100
    checked = [*_checked(shelf)]
    assert checked == []
    assert shelf.rows("SELECT count(*) FROM executions") == [(6,)]
    with Checkpoints(shelf.store) as checkpoints:
        assert checkpoints.write(KEY).root == shelf.kept.root


def _checked(shelf: Shelf) -> list[object]:
    from actbook.replay import verify_store

    found = verify_store(shelf.path, keys=[KEY.public], checkpoints=[Checkpoint.parse(shelf.kept.text)])
    return [fault for each in found for fault in each.faults]


def test_only_whole_trees_that_ended_long_enough_ago_are_chosen(shelf: Shelf) -> None:
    rows = shelf.rows("SELECT id, ended_at, root_id, graph_id FROM executions ORDER BY seq")
    [(child, _, root, _)] = [row for row in rows if row[2]]
    assert ended_trees(shelf.store, Choice(rows[0][1])) == []
    assert ended_trees(shelf.store, Choice(rows[0][1] + 1)) == [rows[0][0]]
    assert ended_trees(shelf.store, Choice(graph_id="nested")) == [root, child]
    assert ended_trees(shelf.store, Choice(graph_id="child")) == []
    assert ended_trees(shelf.store, Choice(user_id="eve")) == []
    assert len(ended_trees(shelf.store, Choice(user_id="ada", statuses=("COMPLETED",)))) == 6
    assert ended_trees(shelf.store, Choice(statuses=("FAILED",))) == []
    with pytest.raises(ArchiveError, match="have ended"):
        ended_trees(shelf.store, Choice(statuses=("RUNNING",)))
    assert trees_of(shelf.store, [root]) == [root, child]
    with pytest.raises(ArchiveError, match="belongs to"):
        trees_of(shelf.store, [child])
    shelf.execute("UPDATE executions SET status='RUNNING' WHERE id=?", child)
    assert root not in ended_trees(shelf.store, Choice())
    with pytest.raises(ArchiveError, match="RUNNING"):
        trees_of(shelf.store, [root])


def test_nothing_leaves_before_a_relay_has_published_it(shelf: Shelf) -> None:
    last = shelf.rows("SELECT max(position) FROM events")[0][0]
    with shelf.store.transaction() as connection:
        connection.execute("CREATE TABLE relays(name TEXT PRIMARY KEY, position INTEGER NOT NULL)")
        connection.execute("INSERT INTO relays VALUES('bus', 7)")
    with pytest.raises(ArchiveError, match="'bus' has not published"):
        shelf.archive()
    assert shelf.content() == shelf.before
    assert not shelf.file.exists()
    shelf.execute("UPDATE relays SET position=?", last)
    assert shelf.archive() > 100


def test_several_archives_leave_and_come_back_in_any_order(shelf: Shelf) -> None:
    chosen = shelf.chosen()
    files = []
    for number, top in enumerate(each for each in chosen if trees_begin(shelf, each)):
        files.append(shelf.file.with_name(f"{number}.archive"))
        archive_executions(shelf.store, trees_of(shelf.store, [top]), files[-1], AT)
        assert shelf.faults() == []
    random.Random("order").shuffle(files)
    for file in files:
        restore_archive(shelf.store, file)
        assert shelf.faults() == []
    assert shelf.content() == shelf.before


def trees_begin(shelf: Shelf, execution: str) -> bool:
    return bool(shelf.rows("SELECT 1 FROM executions WHERE id=? AND root_id IS NULL", execution))
