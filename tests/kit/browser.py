"""A browser without a window reports what a page asks of the network and complains about."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--window-size=1200,900",
)
_PATIENCE = 60


class Browser:
    """Chromium with one page.

    Args:
        driver: Of selenium.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - selenium is not checked
        self._driver = driver

    def open(self, page: Path, width: int = 1200, scheme: str = "light", height: int = 900) -> None:
        """Open a page and forget what earlier pages said; wait for its viewer if it has one."""
        from selenium.webdriver.support.ui import WebDriverWait

        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.complaints()
        self.requests()
        self._driver.get(page.as_uri())
        ready = (
            "return !document.getElementById('viewer') || document.documentElement.dataset.ready"
        )
        WebDriverWait(self._driver, _PATIENCE).until(lambda driver: driver.execute_script(ready))

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever a script returns
        """Run a script in the page and return what it returns."""
        return self._driver.execute_script(script)

    def photograph(self) -> bytes:
        """Return a PNG of what is in view."""
        picture: bytes = self._driver.get_screenshot_as_png()
        return picture

    def press(self, key: str, selector: str) -> None:
        """Press a key of selenium's `Keys` in an element."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self._driver.find_element(By.CSS_SELECTOR, selector).send_keys(getattr(Keys, key, key))

    def complaints(self) -> list[str]:
        """Return what the console has shown since the last call."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call, less what a page holds itself."""
        entries = [
            json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")
        ]
        urls = [
            entry["params"]["request"]["url"]
            for entry in entries
            if entry["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("data:", "blob:"))]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser; a test is skipped where there is none."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if find_spec("selenium") is None:
        missing.append("selenium")
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}: .ci/run installs them where it can")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
