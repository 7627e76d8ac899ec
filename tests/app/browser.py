"""A real browser for tests of pages: headless Chromium with nothing but the page, if there is one on this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
    "--window-size=1500,1100",
)

BYTES = (
    "const c = document.getElementById(arguments[0]), t = document.createElement('canvas');"
    "t.width = c.width; t.height = c.height; const x = t.getContext('2d', {willReadFrequently: true});"
    "x.drawImage(c, 0, 0); const d = x.getImageData(0, 0, c.width, c.height).data;"
)
"""Reads a copy: a canvas that is read itself is drawn another way from then on, and the console says so."""


def missing() -> str | None:
    """What a machine lacks for these tests, or None."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "no package 'selenium'"
    if CHROMIUM is None or DRIVER is None:
        return "no Chromium with its chromedriver (Debian: chromium, chromium-driver)"
    return None


class Browser:
    """One window. ``errors`` and ``requests`` say what happened since they were last asked."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Load a file, and wait until its script has drawn it."""
        self.driver.get("about:blank")
        self.requests()
        self.errors()
        self.driver.get(page.as_uri())
        assert self.run("return document.documentElement.dataset.ready") == "yes"

    def run(self, script: str, *arguments: object) -> Any:
        """The value of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def settle(self) -> None:
        """Wait until what was asked has been drawn: two frames."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def find(self, name: str) -> Any:
        """The element with this id."""
        return self.driver.find_element("id", name)

    def press(self, name: str, *keys: str) -> None:
        """Send keys to the element with this id."""
        for key in keys:
            self.find(name).send_keys(key)
        self.settle()

    def text(self, name: str) -> str:
        """The text of the element with this id, hidden or not."""
        return str(self.run("return document.getElementById(arguments[0]).textContent", name))

    def errors(self) -> list[str]:
        """What the console says, warnings included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def pixels(self, canvas: str) -> str:
        """A digest of what a canvas shows: equal for equal pictures."""
        digest = "let h = 2166136261; for (const b of d) h = Math.imul(h ^ b, 16777619); return String(h >>> 0)"
        return str(self.run(BYTES + digest, canvas))

    def colours(self, canvas: str) -> set[str]:
        """Colours that a canvas shows, as #rrggbb."""
        distinct = (
            "const s = new Set(); for (let k = 0; k < d.length; k += 4)"
            " if (d[k + 3] === 255) s.add(d[k] * 65536 + d[k + 1] * 256 + d[k + 2]); return Array.from(s)"
        )
        return {f"#{value:06x}" for value in self.run(BYTES + distinct, canvas)}


@contextmanager
def browser(*, dark: bool = False) -> Iterator[Browser]:
    """A new Chromium with an empty profile, closed at the end."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Chromium may still write into its profile when it is asked to go.
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        if dark:
            options.add_argument("--blink-settings=preferredColorScheme=0")
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        try:
            yield Browser(driver)
        finally:
            with suppress(Exception):
                driver.quit()
