"""A commit by any process is seen by every other, without any of them asking."""

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.journal.coordination.ear import listening
from tests.journal.coordination.peer import Peer

from actbook.journal._coordination._address import address_beside


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def test_a_commit_of_the_owner_reaches_all_others(journal: Path) -> None:
    with Peer(journal) as owner, Peer(journal) as other, Peer(journal, candidate=False) as guest:
        owner.ask("commit", "a")
        other.hear("saw", "a")
        guest.hear("saw", "a")


@pytest.mark.parametrize("candidate", [True, False])
def test_a_commit_of_another_reaches_the_owner_and_the_rest(journal: Path, candidate: bool) -> None:
    with (
        Peer(journal) as owner,
        Peer(journal, candidate=candidate) as writer,
        Peer(journal) as other,
        Peer(journal, candidate=False) as guest,
    ):
        for name in ("a", "b"):
            writer.ask("commit", name)
            for peer in (owner, other, guest):
                peer.hear("saw", name)


def test_a_bell_rung_just_before_leaving_is_heard(journal: Path) -> None:
    with Peer(journal) as owner, Peer(journal, candidate=False) as guest:
        guest.ask("commit", "a")
        guest.close()
        owner.hear("saw", "a")


def test_without_an_owner_those_who_wait_hear_each_other(journal: Path) -> None:
    with ExitStack() as stack:
        guests = [stack.enter_context(Peer(journal, candidate=False)) for _ in range(3)]
        guests[0].ask("commit", "a")
        guests[1].hear("saw", "a")
        guests[2].hear("saw", "a")
        guests[1].ask("commit", "b")
        guests[1].close()
        guests[0].hear("saw", "b")
        guests[2].hear("saw", "b")


def test_a_commit_nobody_was_there_for_is_seen_by_the_next_owner(journal: Path) -> None:
    with Peer(journal, candidate=False) as guest:
        guest.ask("commit", "a")
        with Peer(journal) as owner:
            owner.hear("saw", "a")


def test_a_commit_while_the_owner_was_dying_is_seen_by_those_who_remain(journal: Path) -> None:
    with Peer(journal) as owner, Peer(journal) as writer, Peer(journal, candidate=False) as guest:
        owner.stop()
        writer.ask("commit", "a")
        owner.kill()
        writer.hear("owner")
        guest.hear("saw", "a")


def test_ten_thousand_rings_do_not_wait_for_a_peer_that_never_listens(journal: Path) -> None:
    with Peer(journal) as owner, Peer(journal) as deaf, Peer(journal) as other:
        deaf.ask("commit", "before")
        owner.hear("saw", "before")
        deaf.stop()
        (seconds,) = owner.ask("storm", 10_000)
        assert float(seconds) < 1.0
        owner.ask("commit", "a")
        other.hear("saw", "a")
        (seconds,) = other.ask("storm", 10_000)
        assert float(seconds) < 1.0
        deaf.resume()
        deaf.hear("saw", "a")
        for peer in (deaf, other, owner):
            peer.close()


def test_rings_at_a_stopped_owner_do_not_wait_and_are_heard_when_it_goes_on(journal: Path) -> None:
    with Peer(journal) as owner, Peer(journal) as other:
        owner.hear("owner")
        owner.stop()
        (seconds,) = other.ask("storm", 10_000)
        assert float(seconds) < 1.0
        other.ask("commit", "a")
        owner.resume()
        owner.hear("saw", "a")
        other.close()
        owner.close()


def test_idle_processes_use_no_cpu(journal: Path) -> None:
    """Takes one second of real time on purpose: that nothing happens can only be watched happening."""
    with Peer(journal, candidate=False) as astray, ExitStack() as stack:
        astray.order("cpu", 1)
        assert float(astray.hear("cpu")[0]) < 0.005
        peers = [astray, *(stack.enter_context(Peer(journal)) for _ in range(3))]
        for peer in peers:
            peer.order("cpu", 1)
        for peer in peers:
            assert float(peer.hear("cpu")[0]) < 0.005


def test_a_commit_between_connecting_and_being_let_in_is_heard(journal: Path) -> None:

    async def scenario() -> None:
        async with listening(journal) as owner:
            guest = address_beside(str(journal)).sibling("-bell").dial()
            assert isinstance(guest, socket.socket)
            with guest:
                owner.coordinator.ring()  # the loop has not let the guest in: this one passes by it
                heard = await asyncio.get_running_loop().sock_recv(guest, 16)
            assert heard

    asyncio.run(scenario())
