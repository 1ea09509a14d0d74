"""A headless Chromium that opens one page and says what it sees; spoken to over two pipes."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
COMPLAINING: Final = ("Log.entryAdded", "Runtime.exceptionThrown")
LOADED: Final = "Page.loadEventFired"
ANSWER_S_MAX: Final = 60.0
READ_BYTES: Final = 65_536
QUIET: Final = (
    "--headless=new",
    "--no-sandbox",  # the tests' container has no user namespaces of its own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--remote-debugging-pipe",
)

# Becomes the program of the third argument, with two descriptors under the numbers that it expects.
AS_3_AND_4: Final = """
import os, sys
from fcntl import F_DUPFD, fcntl
ends = [fcntl(int(end), F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, 3):
    os.dup2(end, number)
os.execvp(sys.argv[3], sys.argv[3:])
"""


@dataclass(slots=True)
class Browser:
    """One tab. `requests` are the addresses that the page asked for, `complaints` what it said."""

    commands: int
    answers: int
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    _said: list[dict[str, Any]] = field(default_factory=list)
    _rest: bytes = b""
    _last: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol, and its answer."""
        self._last += 1
        sent: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self.session:
            sent["sessionId"] = self.session
        os.write(self.commands, json.dumps(sent).encode() + b"\0")
        answer = self._until(lambda said: said.get("id") == self._last)
        result: dict[str, Any] = answer.get("result", {})
        return result

    def open(self, url: str, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Open a page in a window of this size; returns when all of it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=url)
        self._until(lambda said: said.get("method") == LOADED)

    def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript on the page."""
        message = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return message["result"].get("value")

    def awaited(self, expression: str) -> Any:
        """The value that an expression's promise comes to."""
        message = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return message["result"].get("value")

    def click(self, expression: str) -> None:
        """Do what leads to another page; returns when all of that is there."""
        self._said = [said for said in self._said if said.get("method") != LOADED]
        self.call("Runtime.evaluate", expression=expression)
        self._until(lambda said: said.get("method") == LOADED)

    def cut(self, *, offline: bool) -> None:
        """Take the page's network away, or give it back."""
        self.call(
            "Network.emulateNetworkConditions",
            offline=offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def kill(self) -> None:
        """End the browser as a crash does: it writes nothing any more."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def picture(self, path: Path) -> None:
        """Keep an image of the whole page."""
        message = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(message["data"]))

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + ANSWER_S_MAX
        while True:
            for place, said in enumerate(self._said):
                if wanted(said):
                    return self._said.pop(place)
            ready, _, _ = select.select([self.answers], [], [], max(end - time.monotonic(), 0))
            if not ready:
                pytest.fail(f"Chromium did not answer in {ANSWER_S_MAX} s")
            self._hear(os.read(self.answers, READ_BYTES))

    def _hear(self, read: bytes) -> None:
        if not read:
            pytest.fail("Chromium ended")
        *whole, self._rest = (self._rest + read).split(b"\0")
        for text in whole:
            said = json.loads(text)
            self._note(said.get("method", ""), said.get("params", {}))
            self._said.append(said)

    def _note(self, method: str, message: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(message["request"]["url"])
        elif method in COMPLAINING or message.get("type") in ("error", "warning"):
            self.complaints.append(json.dumps(message))


@contextmanager
def browser(kept: Path | None = None) -> Iterator[Browser]:
    """A fresh browser with a profile of its own, or a `kept` one; skips where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium: install the package chromium to have pages opened")
    # What we write it reads as descriptor 3, what it writes to descriptor 4 we read.
    its_commands, commands = os.pipe()
    answers, its_answers = os.pipe()
    with nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="pkh-test-") as profile:
        ends = [str(its_commands), str(its_answers)]
        running = subprocess.Popen(
            [
                sys.executable,
                "-c",
                AS_3_AND_4,
                *ends,
                program,
                *QUIET,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(its_commands, its_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_commands)
        os.close(its_answers)
        try:
            yield _tab(Browser(commands, answers, process=running))
        finally:
            os.close(commands)  # it ends when nobody speaks to it
            os.close(answers)
            try:
                running.wait(ANSWER_S_MAX)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _tab(browser: Browser) -> Browser:
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
    browser.session = attached["sessionId"]
    for domain in ("Page", "Network", "Log", "Runtime"):
        browser.call(f"{domain}.enable")
    return browser
