"""pykka's own test suite, from its source distribution, against the loop and the pool.

Nothing of pykka is kept here: pip fetches the sources of the installed version into a cache folder, the
one line of its conftest that names the table of runtimes is changed in a copy, and pytest runs the copy in a
process of its own. Without a network the test is skipped; with CI or ACTBOOK_REQUIRE_SERVICES=1 set it fails.

Left out, with the reason, is what `LEFT_OUT` names, and nothing else.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

LEFT_OUT = {
    "tests/test_logging.py::test_base_exception_is_logged": (
        "expects the log line with which pykka stops all actors after a BaseException: here one stops"
    ),
}
TABLE = "params=RUNTIMES.values()"
OUR_TABLE = 'params=__import__("pykka_runtimes").ours(RUNTIMES)'


def test_the_loop_and_the_pool_pass_pykkas_own_tests(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    if importlib.util.find_spec("pytest_mock") is None:
        _unavailable("pykka's tests need pytest-mock")
    suite = _patched_copy(_pykka_tests(_cache(pytestconfig)), tmp_path)
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
    ]
    command += [option for left_out in LEFT_OUT for option in ("--deselect", left_out)]
    path = os.pathsep.join([str(suite), str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        command,
        cwd=suite,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    ran = _ran_per_runtime(report)
    assert ran["loop"] == ran["pool"] > 100
    assert ran["threading"] == 0


def _patched_copy(tests: Path, into: Path) -> Path:
    suite = into / "suite"
    shutil.copytree(tests, suite / "tests")
    (suite / "pytest.ini").write_text("[pytest]\ntimeout = 60\n")
    conftest = suite / "tests" / "conftest.py"
    text = conftest.read_text()
    assert text.count(TABLE) == 1, "pykka's conftest has another table of runtimes: change TABLE"
    conftest.write_text(text.replace(TABLE, OUR_TABLE))
    return suite


def _ran_per_runtime(report: Path) -> Counter[str]:
    cases = ET.parse(report).getroot().iter("testcase")
    return Counter(
        name for case in cases for name in ("loop", "pool", "threading") if f"[{name}" in case.get("name", "")
    )


def _cache(config: pytest.Config) -> Path:
    named = os.environ.get("ACTBOOK_TEST_CACHE")
    folder = Path(named) if named else config.rootpath / ".pytest_cache" / "actbook"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _pykka_tests(cache: Path) -> Path:
    version = importlib.metadata.version("pykka")
    kept = cache / f"pykka-{version}-tests"
    if not kept.exists():
        _fetch(version, cache, kept)
    return kept


def _fetch(version: str, cache: Path, kept: Path) -> None:
    # pip unpacks a source distribution before it asks the build backend about it, and with --no-clean leaves
    # it there: so neither a backend nor a build is needed, whatever pip thinks of the result.
    work = cache / f"fetch-{os.getpid()}"
    work.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-binary",
        "pykka",
        "--no-build-isolation",
    ]
    command += ["--no-clean", "--quiet", "--dest", str(work), f"pykka=={version}"]
    try:
        run = subprocess.run(
            command, env={**os.environ, "TMPDIR": str(work)}, capture_output=True, text=True, timeout=90
        )
        found = sorted(work.glob("pip-*/pykka*/tests/conftest.py"))
        if not found:
            _unavailable(f"pip could not get the sources of pykka {version}: {run.stderr[-500:]}")
        staged = work / "tests"
        shutil.copytree(found[0].parent, staged)
        if not kept.exists():
            staged.rename(kept)
    except subprocess.TimeoutExpired:
        _unavailable(f"pip took too long to get the sources of pykka {version}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") or os.environ.get("ACTBOOK_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
