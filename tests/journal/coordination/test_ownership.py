"""One owner at a time: never robbed while it lives, replaced at once when it does not."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.journal.coordination.peer import Peer, hear_first


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def test_the_first_candidate_owns_and_a_second_never_steals(journal: Path) -> None:
    with Peer(journal) as first:
        first.hear("owner")
        with Peer(journal) as second:
            assert second.ask("who") == ["other", str(first.pid)]
            assert first.ask("who") == ["owner", str(first.pid)]
            assert not second.has_said("owner")
            second.close()
        first.close()


def test_a_killed_owner_is_replaced_within_a_second(journal: Path) -> None:
    with Peer(journal) as first, Peer(journal) as second:
        first.hear("owner")
        before = time.monotonic()
        first.kill()
        second.hear("owner")
        assert time.monotonic() - before < 1.0
        assert second.ask("who") == ["owner", str(second.pid)]
        second.close()


def test_an_owner_that_closes_is_replaced(journal: Path) -> None:
    with Peer(journal) as first, Peer(journal) as second:
        first.hear("owner")
        first.close()
        second.hear("owner")
        second.close()


def test_a_stopped_owner_is_not_robbed(journal: Path) -> None:
    with Peer(journal) as first:
        first.hear("owner")
        first.stop()
        with Peer(journal) as second:
            assert second.ask("who") == ["other", str(first.pid)]
            first.resume()
            assert first.ask("who") == ["owner", str(first.pid)]
            assert second.ask("who") == ["other", str(first.pid)]
            second.close()
        first.close()


def test_five_candidates_whose_owner_is_killed_again_and_again_always_have_one(journal: Path) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(Peer(journal, f"worker-{number}")) for number in range(5)]
        for turn in range(4):
            owner = hear_first(peers, "owner")
            owner.ask("commit", turn)
            for peer in peers:
                if peer is not owner:
                    peer.hear("saw", str(turn))
            answers = [peer.ask("who") for peer in peers]
            assert sorted(place for place, _ in answers) == ["other"] * (len(peers) - 1) + ["owner"]
            assert {pid for _, pid in answers} == {str(owner.pid)}
            assert not any(peer.has_said("owner") for peer in peers)
            owner.kill()
            peers.remove(owner)
        peers[0].hear("owner")
        peers[0].close()


def test_a_non_candidate_never_owns(journal: Path) -> None:
    with Peer(journal, candidate=False) as guest:
        assert guest.ask("who") == ["other", "None"]
        with Peer(journal) as owner:
            owner.hear("owner")
            owner.ask("commit", "a")
            guest.hear("saw", "a")
            assert guest.ask("who") == ["other", str(owner.pid)]
            owner.kill()
        with Peer(journal) as next_owner:
            next_owner.hear("owner")
            next_owner.ask("commit", "b")
            guest.hear("saw", "b")
            assert guest.ask("who") == ["other", str(next_owner.pid)]
            assert not guest.has_said("owner")
            guest.close()
            next_owner.close()


def test_what_a_killed_owner_left_behind_does_not_hinder_the_next(journal: Path) -> None:
    with Peer(journal) as dead:
        dead.hear("owner")
        dead.kill()
    with Peer(journal, candidate=False) as dead_guest:
        dead_guest.kill()
    left = {path.name.rpartition("-")[0] for path in journal.parent.iterdir()}
    assert left == {"runs.db", "runs.db-wait"}
    with Peer(journal) as owner, Peer(journal) as other:
        owner.hear("owner")
        other.ask("commit", "a")
        owner.hear("saw", "a")
        other.close()
        owner.close()
    assert {path.name for path in journal.parent.iterdir()} == {"runs.db-owner", "runs.db-log"}


def test_a_forked_child_keeps_neither_the_ownership_nor_the_connections_of_its_parent(journal: Path) -> None:
    with Peer(journal) as first, Peer(journal) as second, ExitStack() as stack:
        first.hear("owner")
        first.order("fork")
        child, owned = first.hear("child")
        stack.callback(_kill, int(child))
        assert owned == "False"
        second.ask("commit", "a")  # the parent is undisturbed
        first.hear("saw", "a")
        first.ask("commit", "b")
        second.hear("saw", "b")
        first.kill()
        second.hear("owner")
        second.close()


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
