"""Checkpoints of a store: signed, continued, proved, and checked by a program that knows nothing of actbook."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import finish, play
from tests.journal.samples import append, counted
from tests.replay.evidence import KEY, chain, sign, world

from actbook.engine import CheckpointPolicy
from actbook.journal import MemoryStore, SQLiteStore, Store
from actbook.replay import (
    CheckpointError,
    Checkpoints,
    SigningKey,
    SigningKeyError,
    proof,
    signing_key,
    verify_store,
    write_signing_key,
)
from actbook.replay.proof import Checkpoint, ProofError, VerifierKey, check_ed25519, check_proof

KEYS = [KEY.public]


def open_memory(path: Path) -> Store:
    return MemoryStore()


def open_file(path: Path) -> Store:
    return SQLiteStore(str(path / "store.db"))


@pytest.fixture(params=[open_memory, open_file], ids=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = request.param(tmp_path)
    yield made
    made.close()


def record(store: Store, stream_id: str, count: int) -> None:
    head = store.head(stream_id)
    store.write([append(stream_id, head, *(counted(number) for number in range(head, head + count)))])


def test_what_was_signed_is_proved_event_by_event(store: Store) -> None:
    record(store, "a", 300)
    record(store, "b", 5)
    with Checkpoints(store) as checkpoints:
        signed = checkpoints.write(KEY, at=1_790_000_000_000_000)
        assert (signed.origin, signed.size, signed.extra) == ("test-log", 305, ("at 2026-09-21T14:13:20Z",))
        for stream_id, version in (("a", 1), ("a", 257), ("a", 300), ("b", 5)):
            document = checkpoints.prove_event(stream_id, version, content=version == 5)
            assert f"of {stream_id} stands at position" in check_proof(json.loads(json.dumps(document)), KEYS)


def test_a_checkpoint_continues_every_older_one(store: Store) -> None:
    notes = []
    with Checkpoints(store) as checkpoints:
        for count in (1, 2, 250, 4, 600, 1):
            record(store, "a", count)
            notes.append(checkpoints.write(KEY))
        assert [note.size for note in checkpoints.all()] == [1, 3, 253, 257, 857, 858]
        for note in notes:
            assert "begin with" in check_proof(checkpoints.prove_extension(note), KEYS)
        assert checkpoints.write(KEY) == notes[-1]
    assert [each for each in verify_store(store, keys=KEYS, checkpoints=notes) if not each.ok] == []


def test_what_is_not_covered_can_not_be_proved(store: Store) -> None:
    record(store, "a", 3)
    with Checkpoints(store) as checkpoints:
        assert (checkpoints.all(), checkpoints.newest()) == ([], None)
        with pytest.raises(CheckpointError, match="covers 0 events, not 3"):
            checkpoints.prove_event("a", 3)
        checkpoints.write(KEY)
        record(store, "a", 1)
        with pytest.raises(CheckpointError, match="covers 3 events, not 4"):
            checkpoints.prove_event("a", 4)
        with pytest.raises(CheckpointError, match="no event 9"):
            checkpoints.prove_event("a", 9)


def test_a_log_that_lost_its_end_is_not_signed_again(tmp_path: Path) -> None:
    store = open_file(tmp_path)
    record(store, "a", 9)
    with Checkpoints(store) as checkpoints:
        checkpoints.write(KEY)
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
            connection.execute("DELETE FROM events WHERE position>7")
            connection.execute("UPDATE sqlite_sequence SET seq=7 WHERE name='events'")
        with pytest.raises(CheckpointError, match="ends at 7, and 9 events were signed"):
            checkpoints.write(KEY)
    store.close()


def test_an_edited_event_is_not_signed(tmp_path: Path) -> None:
    store = open_file(tmp_path)
    record(store, "a", 9)
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
        connection.execute("UPDATE events SET at='noon' WHERE position=4")
    with Checkpoints(store) as checkpoints, pytest.raises(CheckpointError, match="position 4 was edited"):
        checkpoints.write(KEY)
    store.close()


def test_two_writers_make_one_tree(tmp_path: Path) -> None:
    store = open_file(tmp_path)
    record(store, "a", 10_000)
    with Checkpoints(store) as one, Checkpoints(store) as other:

        async def both() -> tuple[Checkpoint, Checkpoint]:
            return await asyncio.gather(
                asyncio.to_thread(one.write, KEY), asyncio.to_thread(other.write, KEY)
            )

        first, second = asyncio.run(both())
    assert (first.size, first.root) == (second.size, second.root)
    assert [each for each in verify_store(store, keys=KEYS) if not each.ok] == []
    store.close()


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    store = open_file(tmp_path_factory.mktemp("proved"))
    record(store, "a", 20)
    with Checkpoints(store) as checkpoints:
        checkpoints.write(KEY)
        made = checkpoints.prove_event("a", 7, content=True)
    store.close()
    return made


def test_nothing_of_a_proof_can_be_changed(proved: dict[str, Any]) -> None:
    changes: dict[str, Any] = {
        "position": 8,
        "stream_id": "b",
        "version": 8,
        "topic": "test.noted",
        "event_id": "00" * 16,
        "at": 1,
        "hash": "00" * 32,
        "state_sha256": "00" * 32,
        "state": base64.b64encode(b"something else").decode(),
    }
    assert set(changes) == set(proved["event"])
    for name, value in changes.items():
        forged = copy.deepcopy(proved)
        forged["event"][name] = value
        with pytest.raises(ProofError):
            check_proof(forged, KEYS)
    for name, value in (("path", proved["path"][1:]), ("checkpoint", "nothing"), ("kind", "other")):
        with pytest.raises(ProofError):
            check_proof({**proved, name: value}, KEYS)
    for name in ("event", "path", "checkpoint"):
        with pytest.raises(ProofError, match="incomplete"):
            check_proof({key: value for key, value in proved.items() if key != name}, KEYS)


def test_only_the_keys_that_were_given_count(proved: dict[str, Any]) -> None:
    stranger = SigningKey("test-log", bytes(32)).public
    with pytest.raises(ProofError, match="not signed by a key"):
        check_proof(proved, [stranger])
    assert check_proof(proved, [stranger, KEY.public])
    forged = proved["checkpoint"].replace("test-log\n20", "test-log\n21")
    with pytest.raises(ProofError, match="signature of the checkpoint is wrong"):
        check_proof({**proved, "checkpoint": forged}, KEYS)


def test_proofs_are_checked_without_actbook(proved: dict[str, Any], tmp_path: Path) -> None:
    """A copy of the file, in an interpreter that is told where to look for nothing but installed packages."""
    program = shutil.copy(proof.__file__, tmp_path / "check.py")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(proved))
    bad.write_text(json.dumps({**proved, "path": []}))
    watched = (
        "import sys, runpy; sys.modules['actbook'] = None; sys.argv = sys.argv[1:]; "
        f"runpy.run_path({str(program)!r}, run_name='__main__')"
    )

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-c", watched, "check", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    answer = run(good, "--key", KEY.public)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert (
        "good.json: proved. Event 7 (test.counted) of a stands at position 7 of the 20 events"
        in answer.stdout
    )
    answer = run(good, bad, "--key", KEY.public)
    assert answer.returncode == 1
    assert "bad.json: NOT proved." in answer.stdout
    assert run(tmp_path / "none.json", "--key", KEY.public).returncode == 2
    assert run(good, "--key", "no key").returncode == 2


def test_keys_and_notes_are_those_of_the_published_format() -> None:
    """The example of the signed-note format, by its authors."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    text = (
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n"
    )
    signature = base64.b64decode(line)
    assert signature[:4] == key.key_id
    check_ed25519(key.public, signature[4:], text)
    with pytest.raises(ProofError):
        check_ed25519(key.public, signature[4:], text[:-1])


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "key"
    write_signing_key(path, KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(path).public == KEY.public
    with pytest.raises(SigningKeyError, match="already"):
        write_signing_key(path, KEY)
    path.chmod(0o644)
    with pytest.raises(SigningKeyError, match="chmod 600"):
        signing_key(path)


def test_a_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTBOOK_CHECKPOINT_KEY", raising=False)
    monkeypatch.delenv("ACTBOOK_CHECKPOINT_KEY_FILE", raising=False)
    with pytest.raises(SigningKeyError, match="keygen"):
        signing_key()
    write_signing_key(tmp_path / "key", KEY)
    monkeypatch.setenv("ACTBOOK_CHECKPOINT_KEY_FILE", str(tmp_path / "key"))
    assert signing_key().public == KEY.public
    monkeypatch.setenv("ACTBOOK_CHECKPOINT_KEY", SigningKey("other", bytes(32)).reveal())
    assert signing_key().name == "other"


@pytest.mark.parametrize(
    "text", ["", "PRIVATE+KEY+a", KEY.reveal().replace("test-log", "other"), str(KEY.public)]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(SigningKeyError):
        SigningKey.parse(text)


def test_a_secret_key_does_not_show_itself() -> None:
    assert repr(KEY) == "SigningKey('test-log')"
    assert SigningKey.parse(KEY.reveal()).public == KEY.public
    with pytest.raises(SigningKeyError, match="can't name a log"):
        SigningKey("two words", bytes(32))


def test_an_engine_signs_from_time_to_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "notes.txt"
    write = Checkpoints.write

    async def test() -> None:
        signed: asyncio.Queue[int] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def watched(checkpoints: Checkpoints, key: SigningKey) -> Checkpoint:
            note = write(checkpoints, key)
            loop.call_soon_threadsafe(signed.put_nowait, note.size)
            return note

        monkeypatch.setattr(Checkpoints, "write", watched)
        here = world()
        policy = CheckpointPolicy(key=KEY, every=0.002, to=kept)
        async with here.open(f"sqlite:///{tmp_path}/store.db", checkpoints=policy) as engine:
            await finish(engine, chain(here), inputs={"x": 1})
            last = await engine.journal.last_position()
            async with asyncio.timeout(20):
                while await signed.get() < last:
                    pass

    play(test())
    monkeypatch.undo()
    texts = kept.read_text().split("test-log\n")[1:]
    notes = [Checkpoint.parse(f"test-log\n{text}".strip() + "\n") for text in texts if text.count("\n") > 3]
    checked = list(verify_store(tmp_path / "store.db", keys=KEYS, checkpoints=notes))
    assert [each for each in checked if not each.ok] == []
    assert Checkpoint.parse(sign(tmp_path / "store.db")).size == checked[-1].events
