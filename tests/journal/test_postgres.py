"""What only a PostgreSQL store can do wrong: each trap of the database, of its client, and of the way to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from tests.journal.samples import append, failed, noted, texts, written
from tests.services import postgres
from tests.services.proxy import Proxy

from actbook.journal import (
    ConflictError,
    JournalClosedError,
    MissingDriverError,
    StoreBusyError,
    StoreConnectionError,
    StoreError,
    StoreFencedError,
    StoreFormatError,
    StoreFullError,
    StoreIOError,
    StoreUrlError,
    StreamIdError,
    ViewsFileError,
    new_event_id,
    open_store,
    verify_chain,
)
from actbook.journal._plan import Outcome
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_errors import as_store_error
from actbook.journal._postgres_url import parse_postgres_url, redacted

Pair = tuple[PostgresStore, PostgresStore]


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def pair(postgres_url: str) -> Iterator[Pair]:
    """Two stores on one schema that both believe to know stream `s` at version 1."""
    one, two = PostgresStore(postgres_url, patience=0.5), PostgresStore(postgres_url, patience=0.5)
    one.write([append("s", 0, "1")])
    two.write([append("s", 1, "2")])
    yield one, two
    one.close()
    two.close()


def sql(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        done = connection.execute(statement.replace("$S", parse_postgres_url(url).schema).encode())
        return done.fetchall() if done.description else []


# -- several writers -----------------------------------------------------------------------------------------------------


def test_a_head_that_moved_elsewhere_is_looked_up_before_refusing(pair: Pair) -> None:
    assert written(pair[0].write([append("s", 2, "3")])[0]).version == 3


def test_a_stale_writer_conflicts_with_the_real_version(pair: Pair) -> None:
    error = failed(pair[0].write([append("s", 1, "x")])[0])
    assert isinstance(error, ConflictError)
    assert (error.expected, error.actual) == (1, 2)


def test_a_surprise_fails_only_its_own_append(pair: Pair) -> None:
    outcomes = pair[0].write(
        [append("a", 0, "a"), append("s", 1, "x"), append("b", 0, "b"), append("s", None, "3")]
    )
    assert isinstance(failed(outcomes[1]), ConflictError)
    assert [written(outcomes[i]).position for i in (0, 2, 3)] == [3, 4, 5]
    assert texts(pair[1].read_log()) == ["1", "2", "a", "b", "3"]
    assert verify_chain([*pair[1].read_rows("s"), *pair[1].read_rows("a")]) == []


def test_a_check_without_events_is_made_against_the_database(pair: Pair) -> None:
    error = failed(pair[0].write([append("s", 1, lifecycle="close")])[0])
    assert isinstance(error, ConflictError)


def test_a_stream_that_another_process_reopened_meanwhile_is_closed_all_the_same(pair: Pair) -> None:
    """The deletion must see what was committed while it waited for the lock."""
    other = psycopg.connect(pair[0].url.conninfo, autocommit=False)
    other.execute(pair[0].names.sql("SELECT {schema}.lock_log(NULL)"))
    closing = threading.Thread(target=pair[1].write, args=([append("s", 2, "3", lifecycle="close")],))
    closing.start()
    other.execute(pair[0].names.sql("INSERT INTO {schema}.unfinished VALUES('s', 1)"))
    other.commit()
    other.close()
    closing.join()
    assert pair[0].unfinished() == []


def test_a_tailing_reader_misses_nothing_while_many_write(postgres_url: str) -> None:
    """Sequence values that commit out of order would let it skip events."""
    writers = [PostgresStore(postgres_url) for _ in range(4)]
    reader = PostgresStore(postgres_url)

    def work(number: int) -> None:
        for version in range(60):
            written(writers[number].write([append(f"s-{number}", version, "x")])[0])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < 240:
        seen += [event.position for event in reader.read_log(seen[-1] if seen else 0, 7)]
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 241))
    for each in (*writers, reader):
        each.close()


def test_positions_are_never_reused(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    store.write([append("s", 0, "1", "2", "3")])
    store.close()
    sql(postgres_url, "DELETE FROM $S.events WHERE position > 1")
    store = PostgresStore(postgres_url)
    assert store.last_position() == 3
    assert written(store.write([append("s", 1, "4")])[0]).position == 4
    store.close()


def test_a_refused_write_leaves_no_gap(pair: Pair) -> None:
    failed(pair[0].write([append("s", 1, "x")])[0])
    assert written(pair[0].write([append("s", 2, "3")])[0]).position == 3


# -- big and strange values -----------------------------------------------------------------------------------------------


def test_megabytes_are_written_in_pieces_of_one_transaction(store: PostgresStore) -> None:
    """In one statement they made another client hang for ever, with the table locked."""
    texts_ = [f"{number}" + "x" * 40_000 for number in range(300)]
    assert written(store.write([append("s", 0, *texts_)])[0]).version == 300
    assert texts(store.read_stream("s")) == texts_
    assert verify_chain(store.read_rows("s")) == []


def test_a_value_of_twenty_megabytes(store: PostgresStore) -> None:
    big = "y" * 20_000_000
    written(store.write([append("s", 0, noted("big", big))])[0])
    (event,) = store.read_stream("s")
    payload: Any = event.payload
    assert payload.data == big


def test_the_null_character_is_data_in_events_and_an_error_in_names(store: PostgresStore) -> None:
    outcomes = store.write([append("s", 0, "a\0b"), append("bad\0id", 0, "x"), append("t", 0, "c")])
    assert isinstance(failed(outcomes[1]), StreamIdError)
    assert texts(store.read_log()) == ["a\0b", "c"]
    assert (store.read_stream("bad\0id"), store.head("bad\0id")) == ([], 0)
    assert store.unfinished(["bad\0id", "s"]) == []


def test_streams_sort_by_code_point_whatever_the_database_thinks(store: PostgresStore) -> None:
    names = ["B", "a", "Z", "ä", "_", "b-2", "b1"]
    store.write([append(name, 0, "x") for name in names])
    assert store.stream_ids() == sorted(names)


# -- lost connections ---------------------------------------------------------------------------------------------------


@contextmanager
def through_proxy(url: str) -> Iterator[tuple[PostgresStore, Proxy]]:
    proxy = Proxy(url)
    store = PostgresStore(proxy.url)
    try:
        yield store, proxy
    finally:
        store.close()
        proxy.close()


Work = Callable[[PostgresStore], Outcome]

LOST: dict[str, Work] = {
    "one event": lambda store: store.write([append("lost", 0, "LOSTMARK")])[0],
    "at the end": lambda store: store.write([append("lost", None, "LOSTMARK")])[0],
    "with an opening": lambda store: store.write([append("lost", 0, "LOSTMARK", lifecycle="open")])[0],
    "with a given id": lambda store: store.write(
        [append("lost", None, noted("LOSTMARK", event_id=new_event_id()))]
    )[0],
}


@pytest.mark.parametrize("work", LOST.values(), ids=LOST)
def test_a_lost_acknowledgement_is_neither_a_conflict_nor_a_second_event(
    postgres_url: str, work: Work
) -> None:
    with through_proxy(postgres_url) as (store, proxy):
        written(store.write([append("s", 0, "1")])[0])
        proxy.cut_answer_to = b"LOSTMARK"
        answer = written(work(store))
        assert proxy.cuts == 1
        assert (answer.version, answer.position) == (1, 2)
        assert texts(store.read_log()) == ["1", "LOSTMARK"]
        assert written(store.write([append("lost", 1, "next")])[0]).position == 3
        assert verify_chain(store.read_rows("lost")) == []


def test_a_connection_that_ends_between_two_appends_is_made_again(store: PostgresStore) -> None:
    for version in range(3):
        written(store.write([append("s", version, f"{version}")])[0])
        assert len(store.read_stream("s")) == version + 1
        everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='actbook'"
        sql(store.url.conninfo + "?schema=" + store.url.schema, everybody)
    assert verify_chain(store.read_rows("s")) == []


def test_a_server_that_is_away_is_waited_for_and_then_reported() -> None:
    with postgres.private_server() as server:
        store = PostgresStore(server.url, patience=30.0)
        impatient = PostgresStore(server.url, patience=0.2)
        written(store.write([append("s", 0, "1")])[0])
        server.kill()
        assert isinstance(failed(impatient.write([append("t", 0, "x")])[0]), StoreConnectionError)
        with pytest.raises(StoreConnectionError):
            impatient.read_stream("s")
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.extend(store.write([append("s", 1, "2")])))
        thread.start()
        server.start()
        thread.join()
        assert written(outcomes[0]).version == 2
        assert texts(impatient.read_log()) == ["1", "2"]
        store.close()
        impatient.close()


def test_closing_ends_the_waiting_for_a_server() -> None:
    with postgres.private_server() as server:
        store = PostgresStore(server.url, patience=3600.0)
        written(store.write([append("s", 0, "1")])[0])
        server.kill()
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.extend(store.write([append("s", 1, "2")])))
        thread.start()
        store.close()
        thread.join()
        assert isinstance(outcomes[0], StoreError | JournalClosedError) if outcomes else True


# -- locks and fences ---------------------------------------------------------------------------------------------------


def test_a_lock_that_is_held_too_long_is_reported_and_nothing_is_written(pair: Pair) -> None:
    with psycopg.connect(pair[0].url.conninfo) as other:
        other.execute(pair[0].names.sql("SELECT {schema}.lock_log(NULL)"))
        assert isinstance(failed(pair[0].write([append("s", 2, "x")])[0]), StoreBusyError)
        other.rollback()
    assert written(pair[0].write([append("s", 2, "3")])[0]).position == 3


@pytest.mark.parametrize("lifecycle", [None, "close"])
def test_a_worker_that_was_dismissed_writes_nothing_more(pair: Pair, lifecycle: Any) -> None:
    url = f"{pair[0].url.conninfo}?schema={pair[0].url.schema}"
    pair[0].fence = 7
    sql(url, "INSERT INTO $S.workers VALUES(7, 'w', 'h', 1, 0, now(), interval '1 hour')")
    written(pair[0].write([append("s", 2, "3")])[0])
    sql(url, "SELECT $S.dismiss(ARRAY[7]::bigint[], ARRAY[]::bigint[])")
    for drafts in (["4"], []):
        refused = failed(pair[0].write([append("s", 3, *drafts, lifecycle=lifecycle or "open")])[0])
        assert isinstance(refused, StoreFencedError)
    refused = failed(pair[0].write([append("s", 1, "stale")])[0])
    assert isinstance(refused, StoreFencedError | ConflictError)
    assert written(pair[1].write([append("s", 3, "4")])[0]).position == 4
    assert texts(pair[1].read_log()) == ["1", "2", "3", "4"]


# -- schemas ------------------------------------------------------------------------------------------------------------


def test_processes_that_make_one_schema_at_the_same_time_all_get_it(postgres_url: str) -> None:
    barrier = threading.Barrier(6)
    ids: list[str] = []

    def make() -> None:
        barrier.wait()
        store = PostgresStore(postgres_url)
        ids.append(store.store_id)
        store.close()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1


def test_two_schemas_of_one_database_are_two_stores(postgres_dsn: str) -> None:
    with postgres.fresh_schema(postgres_dsn) as one, postgres.fresh_schema(postgres_dsn) as two:
        first, second = PostgresStore(one), PostgresStore(two)
        written(first.write([append("s", 0, "1")])[0])
        assert second.read_log() == []
        assert first.store_id != second.store_id
        first.close()
        second.close()


def test_a_schema_of_another_application_is_left_alone(postgres_url: str) -> None:
    sql(postgres_url, "CREATE SCHEMA $S; CREATE TABLE $S.customers(id int)")
    with pytest.raises(StoreFormatError, match="another application"):
        PostgresStore(postgres_url)


def test_a_schema_of_a_newer_version_is_refused(postgres_url: str) -> None:
    PostgresStore(postgres_url).close()
    sql(postgres_url, "UPDATE $S.meta SET value='99' WHERE key='schema_version'")
    with pytest.raises(StoreFormatError, match="newer actbook"):
        PostgresStore(postgres_url)


def test_a_table_that_somebody_dropped_is_a_broken_store_not_a_users_error(
    store: PostgresStore, postgres_url: str
) -> None:
    sql(postgres_url, "DROP TABLE $S.events CASCADE")
    with pytest.raises(StoreFormatError):
        store.read_log()
    assert isinstance(failed(store.write([append("s", 0, "1")])[0]), StoreFormatError)


# -- URLs and secrets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:",
        "postgresql:/x",
        "postgresql://u:canary@h:port/d",
        "postgresql://u:canary@h/d?schema=Bad-Name",
        "postgresql://u:canary@h/d?schema=",
        "postgresql://u:canary@h/d?nonsense",
        "postgresql://u:canary@h/d#x",
        f"postgresql://u:canary@h/d?schema={'x' * 51}",
        "postgresql://u:canary@[h/d",
    ],
)
def test_urls_that_make_no_sense_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(StoreUrlError) as raised:
        open_store(url)
    assert "canary" not in f"{raised.value}{raised.value!r}{raised.value.url}"


def test_what_is_shown_of_a_url() -> None:
    url = "postgresql://u:canary@h:1/d?password=canary&sslmode=require&schema=x"
    parsed = parse_postgres_url(url)
    assert parsed.shown == "postgresql://u:***@h:1/d?password=***&sslmode=require&schema=x"
    assert parsed.conninfo == "postgresql://u:canary@h:1/d?password=canary&sslmode=require"
    assert "canary" not in repr(parsed)
    assert redacted("sqlite:///a.db") == "sqlite:///a.db"
    assert parse_postgres_url("postgresql:///d").conninfo == "postgresql:///d"
    assert parse_postgres_url("postgres://h1:1,h2:2/d").conninfo == "postgresql://h1:1,h2:2/d"


def test_the_password_is_in_no_message(postgres_dsn: str, postgres_url: str) -> None:
    wrong = (
        postgres_url.replace(postgres.PASSWORD, "canary-wrong") if postgres.PASSWORD in postgres_url else ""
    )
    dead = "postgresql://u:canary-wrong@127.0.0.1:1/d"
    for url in filter(None, (wrong, dead)):
        with pytest.raises(StoreConnectionError) as raised:
            open_store(url)
        assert "canary" not in f"{raised.value}{raised.value!r}{raised.value.__cause__}"
    with pytest.raises(StoreConnectionError, match="does not exist"):
        open_store(urlunsplit(urlsplit(postgres_dsn)._replace(path="/nowhere")))


def test_the_driver_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingDriverError, match=r"actbook\[postgres\]"):
        open_store("postgresql://h/d")


def test_a_file_for_the_views_that_can_not_be_made_is_named(postgres_url: str) -> None:
    store = PostgresStore(postgres_url.replace("views=memory:", "views=/dev/null/x.db"))
    with pytest.raises(ViewsFileError, match="views="):
        store.open_views_writer()
    store.close()


class _Error(psycopg.OperationalError):
    def __init__(self, state: str | None) -> None:
        super().__init__("reason")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", StoreFullError),
        ("53200", StoreFullError),
        ("53300", StoreConnectionError),
        ("55P03", StoreBusyError),
        ("40P01", StoreBusyError),
        ("57P01", StoreConnectionError),
        ("08006", StoreConnectionError),
        ("28P01", StoreConnectionError),
        ("58030", StoreIOError),
        ("XX001", StoreFormatError),
        ("AB001", StoreFencedError),
        (None, StoreConnectionError),
    ],
)
def test_kinds_of_failures(state: str | None, kind: type[Exception]) -> None:
    error = as_store_error("postgresql://h/d", _Error(state))
    assert type(error) is kind
    assert "reason" in str(error)


def test_nobody_leads(postgres_url: str) -> None:
    """A round trip to another machine would block the loop."""

    async def run() -> None:
        from actbook.journal import Journal

        journal = await Journal.open(postgres_url)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        journal.submit(append("s", 0, "1"), answer.set_result, lead=True)
        assert not answer.done()
        assert written(await answer).position == 1
        await journal.close()

    asyncio.run(run())
