"""Settings from variables, keywords and URLs; what is printed of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import USER, World, finish, play, sqlite
from tests.services import postgres

from actbook.actors import Capacity, SupervisionPolicy, Timing
from actbook.bridge.nats import bus_config
from actbook.engine import ConfigurationError, Engine, EngineSettings, settings_from_environment
from actbook.engine._configuration import variables
from actbook.events import ExecutionStatus
from actbook.journal import MemoryStore, StoreUrlError, open_store

CANARY = "canary-settings-secret"


def test_variables_set_fields_and_keywords_go_first() -> None:
    environment = {
        "ACTBOOK_LEASE": "2.5",
        "ACTBOOK_TAKE_OVER": "False",
        "ACTBOOK_CANDIDATE": "1",
        "ACTBOOK_MAX_ACTIVE": " 7 ",
        "ACTBOOK_SYNCHRONOUS": "NORMAL",
        "ACTBOOK_CAPACITY_ASYNC": "9",
        "ACTBOOK_CAPACITY_CPU": "1",
        "ACTBOOK_TIMING_GRACE": "0.5",
        "ACTBOOK_SUPERVISION_MAX_RESTARTS": "0",
        "ACTBOOK_BUS": "nats://bus",
        "ACTBOOK_DRAIN": "",
        "ACTBOOK_DEBUG": "1",
    }
    settings = EngineSettings(**settings_from_environment(environment, max_active=8, timing=Timing(linger=3)))
    assert settings == EngineSettings(
        lease=2.5,
        take_over=False,
        max_active=8,
        synchronous="NORMAL",
        capacity=Capacity(async_=9, cpu=1),
        timing=Timing(linger=3),
        supervision=SupervisionPolicy(max_restarts=0),
        bus="nats://bus",
    )
    assert "bus" not in settings_from_environment(environment, bridges=False)
    assert settings_from_environment({}) == {}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ACTBOOK_LEASE", "soon", "a number"),
        ("ACTBOOK_LEASE", "nan", "from 0 on"),
        ("ACTBOOK_MAX_ACTIVE", "1.5", "a whole number"),
        ("ACTBOOK_CAPACITY_CPU", "-1", "from 0 on"),
        ("ACTBOOK_TAKE_OVER", "maybe", "1 or 0"),
        ("ACTBOOK_SYNCHRONOUS", "OFF", "one of FULL, NORMAL"),
    ],
)
def test_what_fits_no_setting_is_named(name: str, value: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        settings_from_environment({name: value})
    assert (caught.value.name, caught.value.value) == (name, value)


def test_every_variable_names_a_field_that_exists() -> None:
    for name, (field, part, _) in variables().items():
        assert name.startswith("ACTBOOK_")
        value = getattr(EngineSettings(), field)
        assert not part or hasattr(value, part)


def test_an_engine_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        world = World()
        async with Engine.from_environment(registry=world.registry, max_active=3) as engine:
            assert not engine.is_owner
            assert (tmp_path / "runs.db").exists()
        monkeypatch.delenv("ACTBOOK_CANDIDATE")
        async with Engine.from_environment() as engine:
            done = await finish(
                engine, world.graph("x:Input y:Output", "x.result > y.value"), inputs={"x": 1}
            )
            assert (done.status, done.user_id) == (ExecutionStatus.COMPLETED, USER)

    monkeypatch.setenv("ACTBOOK_STORE", sqlite(tmp_path))
    monkeypatch.setenv("ACTBOOK_CANDIDATE", "0")
    play(test())


def test_settings_are_printed_without_passwords() -> None:
    settings = EngineSettings(
        broker=f"amqp://guest:{CANARY}@host/", bus=f"nats://{CANARY}@one:4222,nats://u:{CANARY}@two:4222"
    )
    for text in (repr(settings), str(settings), f"{settings!r}", repr({"settings": settings})):
        assert CANARY not in text
        assert "broker='amqp://***@host/'" in text
        assert "bus='nats://***@one:4222,nats://***@two:4222'" in text
    assert "max_active=10000" in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{CANARY}@h:port/db",
        f"postgresql://u:{CANARY}@h/db?schema=No-Name",
        f"postgresql://h/db?password={CANARY}&schema=1",
        f"mysql://u:{CANARY}@h/db",
        f"sqlite://u:{CANARY}@h/db",
        f"memory://u:{CANARY}@h",
    ],
)
def test_a_wrong_store_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreUrlError) as caught:
        open_store(url)
    assert CANARY not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize(
    "url", [f"amqp://u:{CANARY}@h:port/", f"http://u:{CANARY}@h/", f"amqp://u:{CANARY}@/"]
)
def test_a_wrong_broker_url_is_refused_without_its_password(url: str) -> None:
    _refused({"broker": url})


@pytest.mark.parametrize(
    "url", [f"nats://u:{CANARY}@h:1?tenant=a.b", f"http://u:{CANARY}@h/", f"nats://u:{CANARY}@"]
)
def test_a_wrong_bus_url_is_refused_without_its_password(url: str) -> None:
    _refused({"bus": url})


def _refused(settings: dict[str, Any]) -> None:
    async def test() -> str:
        try:
            async with Engine.open("memory:", **settings):
                pass
        except Exception as error:
            return str(error) + repr(error) + repr(vars(error))
        return ""

    text = play(test())
    assert text
    assert CANARY not in text


def test_what_holds_a_url_shows_no_password(postgres_url: str) -> None:
    assert CANARY not in repr(bus_config(f"nats://u:{CANARY}@h:4222"))
    with closing(open_store(postgres_url)) as store:
        assert postgres.PASSWORD not in f"{store!r} {store} {vars(store)}"
    assert repr(MemoryStore())
