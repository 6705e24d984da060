"""What every test shares: a clean environment, where shared material lies, which tests run, why tests were skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("socialite", deadline=None, print_blob=True)  # a busy machine is no failure
settings.load_profile("socialite")

CHECKOUT = Path(__file__).resolve().parent.parent
LONGEST = ("tests/kill/", "tests/real/", "tests/scripts/", "tests/test_wheel.py")
IN_ONE = "tests/kill/"  # whose processes are all started from one that is expensive to have
KEPT = {"SOCIALITE_SHARED", "SOCIALITE_LABEL_STUDIO"}  # where test material lies; not settings of the product


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real", action="store_true", help="run the tests against a live Label Studio and a live browser too"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --real, the real tests are left out: they are not skips. Where several processes share the files
    (pytest -n), those that take longest are begun first, so that none waits alone for the last.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if config.getoption("--real"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    if real:
        config.hook.pytest_deselected(items=real)
        items[:] = [item for item in items if not item.get_closest_marker("real")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file of tests is run by one process (pytest --dist loadfile); and so is the folder IN_ONE."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return IN_ONE if nodeid.startswith(IN_ONE) else super()._split_scope(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI (CI=true) a real test that skips has failed."""
    report = yield
    real = item.get_closest_marker("real") and os.environ.get("CI", "").lower() == "true"
    if real and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"A real test may not be skipped in CI. It was, with the reason: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("skipped, by reason")
        for reason, n in Counter(map(_reason, skipped)).most_common():
            terminalreporter.write_line(f"{n:5d}  {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.fixture(scope="session", autouse=True)
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads a person's settings, or writes into a person's folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("SOCIALITE_", "LABEL_STUDIO_")) and name not in KEPT:
                patch.delenv(name)
        home = tmp_path_factory.mktemp("socialite-home")
        patch.setenv("SOCIALITE_HOME", str(home))
        patch.setenv("SOCIALITE_CACHE", str(tmp_path_factory.mktemp("socialite-cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        hub = str(tmp_path_factory.mktemp("hub-cache"))
        patch.setenv("HF_HUB_CACHE", hub)  # of processes that tests start
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", hub)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # it may have been imported before
        yield home


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests (`pytest.mark.anyio`) run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder of this checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded requests and labelled texts; a test that needs it skips where it is absent."""
    folder = Path(os.environ.get("SOCIALITE_SHARED") or CHECKOUT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("shared material absent")
    return folder
