"""The journal as the engine sees it: asynchronous, one per engine, on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from actbook.events._envelope import Append, Appended, Envelope
from actbook.journal._commits import Commits
from actbook.journal._listeners import Listeners
from actbook.journal._reader import Reader
from actbook.journal._recorded import Recorded
from actbook.journal._sqlite_schema import Synchronous
from actbook.journal._store import Snapshot, Store, is_sealed
from actbook.journal._subscription import follow
from actbook.journal._upcast import check_upcasters
from actbook.journal._urls import open_store
from actbook.journal._writer import Done

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys
    from actbook.journal._sealing import Withheld
    from actbook.journal._store import ClaimStore


class Journal:
    """Appends, reads and follows events of one store.

    Everything must be called on the loop that opened it, and every callback comes on that loop. No method
    blocks the loop on the store, except `submit` with `lead=True`, which is asked to. `ring` is a hook that
    is called after each commit from whichever thread committed; `heard` is its counterpart in the other
    processes.
    """

    def __init__(
        self,
        store: Store,
        *,
        worker_id: str | None = None,
        ring: Callable[[], object] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.store = store
        self.worker_id = worker_id
        self._commits = Commits(store, loop, ring)
        self._reader = Reader(loop)
        self._closing: Listeners[None] = Listeners(loop)
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        synchronous: Synchronous = "FULL",
        worker_id: str | None = None,
        ring: Callable[[], object] | None = None,
        keys: PayloadKeys | None = None,
    ) -> Journal:
        """Opens `memory:`, `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`, creating
        the file or the schema when there is none. `keys` seal values of users; closing them is left to who made them.

        Raises `StoreUrlError`, `StoreFormatError`, `StoreError`, `MissingDriverError`, and `UpcastError` when
        an upcaster is missing.
        """
        check_upcasters()
        store = await asyncio.to_thread(open_store, url, synchronous=synchronous)
        store.keys = keys
        return cls(store, worker_id=worker_id, ring=ring)

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way to the store. May be asked from any thread."""
        return self._commits.is_busy

    @property
    def is_full(self) -> bool:
        """Do more requests or bytes wait than the bounds allow? `append` waits then; who submits should take
        no new work.
        """
        return self._commits.is_full

    @property
    def ring(self) -> Callable[[], object] | None:
        return self._commits.ring

    @ring.setter
    def ring(self, ring: Callable[[], object] | None) -> None:
        self._commits.ring = ring

    async def append(self, append: Append, *, lead: bool = False) -> Appended:
        """Returns when the events are durable. `lead`: see `submit`.

        Raises `ConflictError` or another `JournalError`; then nothing is written.

        Cancelling the caller does not take the append back. Waits first while too much is queued.
        """
        await self._commits.room()
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

        def done(outcome: Appended | Exception) -> None:
            if answer.cancelled():
                return
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self._commits.submit(append, done, lead=lead)
        return await answer

    def submit(self, append: Append, done: Done, *, lead: bool = False) -> None:
        """Queues an append without blocking; `done` gets its outcome on the loop, in submission order.

        `lead=True` says that the loop has nothing else to do. When nothing is queued or in flight, the commit
        then happens right here, on the calling thread, and `done` is called before this returns. A `lead`
        from inside such a `done` is committed in the loop's next turn, so a chain of them neither recurses
        nor starves the loop. In every other case, a locked store included, the writer's thread commits.

        Raises `UnencodableError` (nothing is queued and `done` is not called) and `JournalClosedError`.
        Writes of one stream are committed in submission order. When one fails, those behind it that name an
        expected version and were submitted before its failure was reported fail too.
        """
        self._commits.submit(append, done, lead=lead)

    async def settled(self) -> None:
        """Returns when everything that was submitted is answered."""
        await self._commits.settled()

    async def answered(self) -> None:
        """Returns when everything that was submitted until now is answered: what is read of the log may be ahead of the answers."""
        await self._commits.answered()

    async def room(self) -> None:
        """Returns when less is queued than the bounds allow."""
        await self._commits.room()

    def on_commit(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Calls back with the last position once per batch, own commits and those heard of alike.

        Returns what removes it.
        """
        return self._commits.committed.add(callback)

    def on_recorded(self, callback: Callable[[Recorded], None]) -> Callable[[], None]:
        """Calls back with the events that this journal committed, in position order, once per batch, before
        `on_commit`.

        Nothing is decoded or made for it until it is looked at. Returns what removes it.
        """
        return self._commits.recorded.add(callback)

    async def heard(self) -> None:
        """Another process rang: tells the listeners of `on_commit` if there is news."""
        self._commits.hear(await self.last_position())

    async def read_stream(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """Events of a stream with versions above `after`, in order."""
        return await self._reader.run(lambda: self.store.read_stream(stream_id, after, limit))

    async def read_streams(self, wanted: Sequence[tuple[str, int]]) -> list[list[Envelope] | Exception]:
        """What `read_stream` answers for each stream and version, in one visit to the store.

        A stream that can't be read has its error in its place; the others are answered all the same.
        """
        return await self._reader.run(lambda: [self._read_or_error(*each) for each in wanted])

    def _read_or_error(self, stream_id: str, after: int) -> list[Envelope] | Exception:
        try:
            return self.store.read_stream(stream_id, after)
        except Exception as error:
            return error

    async def read_log(
        self, after: int = 0, limit: int = 1000, topics: Sequence[str] = (), *, upto: int | None = None
    ) -> list[Envelope]:
        """Events at positions above `after`, in order; only of the given topics when there are any."""
        return await self._reader.run(lambda: self.store.read_log(after, limit, topics, upto))

    async def head(self, stream_id: str) -> int:
        """Version of the stream's last event; 0 when there is none."""
        return await self._reader.run(lambda: self.store.head(stream_id))

    async def last_position(self) -> int:
        """The highest position that was ever given out; 0 in a new store."""
        return await self._reader.run(self.store.last_position)

    async def unfinished(self, among: Sequence[str] | None = None) -> list[str]:
        """Streams that were opened and not closed, oldest first; of those `among` alone, in any order.

        One that is asleep is left out until the stream it waits on has gone beyond the version it named.
        """
        return await self._reader.run(lambda: self.store.unfinished(among))

    async def priorities(self, among: Sequence[str] | None = None) -> dict[str, int]:
        """Priorities of streams that were opened and not closed; those of priority 0 are left out."""
        return await self._reader.run(lambda: self.store.priorities(among))

    async def claim(self, count: int, among: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """Takes unfinished streams that nobody has, on a store that workers share: ids and priorities, the most urgent first.

        Raises `StoreFencedError` when this worker was taken for dead; after any other error `claimed` tells what happened.
        """
        store = cast("ClaimStore", self.store)
        return await self._reader.run(lambda: store.claim(count, among))

    async def claimed(self) -> list[tuple[str, int]]:
        """What this worker has on a store that workers share."""
        return await self._reader.run(cast("ClaimStore", self.store).claimed)

    async def put_snapshot(self, stream_id: str, version: int, state: bytes, state_hash: bytes) -> None:
        """Keeps a state of the stream. Not synced to disk: a snapshot that is lost can be made again."""
        snapshot, keys = Snapshot(stream_id, version, state, state_hash), self.store.keys
        if keys is not None:
            from actbook.journal._sealed_snapshots import seal_snapshot

            snapshot = await self._reader.run(partial(seal_snapshot, snapshot, keys))
        await self._reader.run(partial(self.store.put_snapshot, snapshot))

    async def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        """The newest snapshot, or the newest one not above the version `at_most`. Raises `PayloadKeyError`."""
        found = await self._reader.run(lambda: self.store.latest_snapshot(stream_id, at_most))
        if found is None or not is_sealed(found):
            return found
        from actbook.journal._sealed_snapshots import open_snapshot

        return await self._reader.run(partial(open_snapshot, found, self.store.keys))

    async def withheld(self, stream_id: str, user_id: str, after: int = 0) -> Withheld:
        """Says "forgotten" when values of the stream, above the version `after`, were sealed with a destroyed key of the user.

        Reads the stream when the user has such keys. Raises `PayloadKeyError`.
        """
        store, keys = self.store, self.store.keys
        if keys is None or not await self._reader.run(partial(keys.destroyed, user_id)):
            return ""
        from actbook.journal._sealing import withheld

        return await self._reader.run(
            lambda: withheld((row.state for row in store.read_rows(stream_id, after)), keys)
        )

    async def unlock(self, user_id: str) -> None:
        """Has the user's key ready, so that no append of his waits for it on the loop. Raises `PayloadKeyError`."""
        keys = self.store.keys
        if keys is not None:
            await self._reader.run(lambda: keys.to_seal(user_id))

    async def drop_snapshots(self, stream_id: str | None = None, below: int | None = None) -> int:
        """Deletes snapshots of one stream or of all, all versions or only those below one.

        Returns how many.
        """
        return await self._reader.run(lambda: self.store.drop_snapshots(stream_id, below))

    def subscribe(self, after: int = 0, topics: Sequence[str] = ()) -> AsyncGenerator[Envelope, None]:
        """Every event above `after`, history first, then live: once each, in position order, without a gap.

        Reads only as fast as the consumer takes. Ends when the journal closes; `aclose` ends it earlier.
        """
        return follow(self, after, topics, self._closing)

    async def close(self) -> None:
        """Writes and answers what is queued, ends the threads and subscriptions, closes the store.

        May be called twice.
        """
        if self._closed:
            return
        self._closed = True
        self._closing.tell(None)
        await self._commits.close()
        for thread in self._reader.stop():
            await asyncio.to_thread(thread.join)
        await asyncio.to_thread(self.store.close)
