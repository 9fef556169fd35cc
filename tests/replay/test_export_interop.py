"""Exports in the hands of other people's programs: the CloudEvents SDK, a process-mining library, a browser.

They are in the dependency group `interop`; a test is skipped where its program is not installed, and fails there when
`ACTBOOK_REQUIRE_SERVICES=1` says that it must be.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Never

import pytest
from tests.replay.exported import HOSTILE, recorded, world, written
from tests.replay.schemas import OCEL, XES
from tests.replay.test_export_report import wide

from actbook.journal import SQLiteStore
from actbook.replay import History
from actbook.replay.export import Selection, export_cloudevents, export_ocel, export_xes, report

ALL = Selection()
SHOTS = os.environ.get("ACTBOOK_SCREENSHOTS")
"""A folder in which pictures of the pages are left, to be looked at."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SQLiteStore, list[str]]]:
    store, executions = recorded(tmp_path_factory.mktemp("source"))
    yield store, executions
    store.close()


def program(module: str) -> Any:
    """A module of the dependency group."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(module)
        except ImportError as error:
            lacking(f"{error}: install the dependency group `interop`")


def lacking(what: str) -> Never:
    if os.environ.get("ACTBOOK_REQUIRE_SERVICES") == "1":
        pytest.fail(what)
    pytest.skip(what)


def test_the_cloudevents_sdk_reads_every_line(source: tuple[SQLiteStore, list[str]]) -> None:
    formats = program("cloudevents.core.formats.json")
    events = program("cloudevents.core.v1.event")
    read = [formats.JSONFormat().read(events.CloudEvent, line) for line in export_cloudevents(source[0], ALL)]
    assert len([each for each in read if each.get_extension("actbookhash")]) == source[0].last_position()
    created = next(each for each in read if each.get_type() == "actbook.execution.created")
    assert created.get_data()["inputs"] == {"x": HOSTILE}


@pytest.mark.filterwarnings("ignore")
def test_the_ocel_is_what_its_published_schema_asks_for(source: tuple[SQLiteStore, list[str]]) -> None:
    log = json.loads(b"".join(export_ocel(source[0], ALL)))
    check = program("jsonschema").Draft7Validator(OCEL)
    assert [error.message for error in check.iter_errors(log)] == []
    log["events"][0]["attributes"][0]["value"] = 1
    assert not check.is_valid(log)


@pytest.mark.filterwarnings("ignore")
def test_the_xes_is_what_its_published_schema_asks_for(source: tuple[SQLiteStore, list[str]]) -> None:
    etree = program("lxml.etree")
    check = etree.RelaxNG(etree.fromstring(XES))
    log = etree.fromstring(b"".join(export_xes(source[0], ALL)))
    assert check.validate(log), check.error_log
    log.append(log[0])
    assert not check.validate(log)


@pytest.mark.filterwarnings("ignore")
def test_a_process_mining_library_reads_the_ocel(
    source: tuple[SQLiteStore, list[str]], tmp_path: Path
) -> None:
    pm4py = program("pm4py")
    log = pm4py.read_ocel2_json(str(written(tmp_path / "log.json", export_ocel(source[0], ALL))))
    assert len(log.events) == source[0].last_position()
    assert sorted(log.events["position"]) == list(range(1, source[0].last_position() + 1))
    assert set(log.objects["ocel:type"]) >= {"execution", "node execution", "node", "graph", "user"}
    flat = pm4py.ocel_flattening(log, "execution")
    assert set(source[1]) < {name.removeprefix("execution:") for name in flat["case:concept:name"]}


@pytest.mark.filterwarnings("ignore")
def test_a_process_mining_library_reads_the_xes(
    source: tuple[SQLiteStore, list[str]], tmp_path: Path
) -> None:
    pm4py = program("pm4py")
    log = pm4py.read_xes(str(written(tmp_path / "log.xes", export_xes(source[0], ALL))))
    assert set(source[1]) < set(log["case:concept:name"])
    ours = log[log["case:concept:name"] == source[1][2]]
    variants = pm4py.get_variants(ours[ours["lifecycle:transition"] == "complete"])
    assert list(variants) == [("Input: x", "Output: y")]


@contextmanager
def page_of(text: str, folder: Path, **options: Any) -> Iterator[tuple[Any, list[str], float]]:
    """A page in a browser, with what went wrong and the seconds until it could be used."""
    sync = program("playwright.sync_api")
    browsers = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
    installed = next(filter(None, map(shutil.which, browsers)), None)
    if installed is None:
        lacking("no Chromium is installed")
    path = folder / "report.html"
    path.write_text(text, "utf-8")
    troubles: list[str] = []
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        try:
            page = browser.new_page(**{"viewport": {"width": 1440, "height": 1800}, **options})
            page.on("console", lambda message: troubles.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
            page.on("request", lambda request: troubles.append(request.url))
            # The first time includes the start of the browser's own processes.
            yield page, troubles, min(opening(page, path.as_uri()) for _ in range(3))
        finally:
            browser.close()


def opening(page: Any, address: str) -> float:
    """Seconds by the browser's clock from the navigation until the page is drawn and can be used."""
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    drawn = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    return float(page.evaluate(f"() => ({drawn})().then(() => performance.now())")) / 1000


def shows(page: Any, version: int) -> None:
    """Waits until the page is at that event."""
    expect = program("playwright.sync_api").expect
    expect(page.locator("#at-version")).to_have_text(str(version))


def shoot(page: Any, folder: Path, name: str) -> None:
    path = Path(SHOTS or folder) / f"{name}.png"
    page.screenshot(path=str(path), full_page=True)
    assert path.stat().st_size > 10_000


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_report_without_errors_or_requests(
    source: tuple[SQLiteStore, list[str]], tmp_path: Path, scheme: str
) -> None:
    history = History(source[0].read_stream(source[1][0]))
    with page_of(report(history, world()[1]), tmp_path, color_scheme=scheme) as (page, troubles, _):
        assert "owned" not in page.title()[:5]
        assert page.locator("h1").inner_text().startswith("</script>")
        count = len(history.events)
        assert page.locator("#slider").get_attribute("max") == str(count)
        assert page.locator('.node[data-status="FAILED"]').count() == 1
        assert page.locator("#events .row.at .topic").inner_text() == "execution.completed"
        page.locator("#slider").fill("1")
        shows(page, 1)
        assert page.locator("#at-topic").inner_text() == "execution.created"
        assert page.locator(".node[data-status]").count() == 0
        page.locator("#slider").focus()
        page.keyboard.press("End")
        shows(page, count)
        page.locator("#search").fill("node.failed")
        assert page.locator("#events .row").count() == 1
        page.locator("#events .row").click()
        assert "is closed" in page.locator("#detail").inner_text()
        page.locator("#timeline .row").first.click()
        assert "node execution" in page.locator("#detail").inner_text()
        page.locator("#search").fill("")
        shoot(page, tmp_path, f"report-{scheme}")
        page.pdf(path=str(tmp_path / "report.pdf"))
        assert set(troubles) <= {page.url}


@pytest.mark.filterwarnings("ignore")
def test_a_report_of_two_thousand_nodes_opens_at_once_and_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, graph = wide(2_000)
    with page_of(report(history, graph), tmp_path) as (page, troubles, took):
        assert page.locator("#events .row").count() < 60
        begun = time.perf_counter()
        targets = range(1, len(history.events), len(history.events) // 10)
        for target in targets:
            page.locator("#slider").fill(str(target))
            shows(page, target)
        moved = (time.perf_counter() - begun) / len(targets)
        shoot(page, tmp_path, "report-2000")
        assert set(troubles) <= {page.url}
    with capsys.disabled():
        print(
            f"\nreport of 2,000 nodes: usable after {took:.2f} s, {moved * 1000:.0f} ms per move of the slider"
        )
    # The aim is 2 s; the bounds are for a machine that is busy with other things.
    assert took < 10.0
    assert moved < 5.0
