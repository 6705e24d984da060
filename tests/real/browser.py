"""A headless Chromium in front of Label Studio, as a coder uses it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Self

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 120  # seconds
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


def chromium() -> tuple[str, str]:
    """Paths of the browser and its driver; the test skips where they are not installed."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium or its driver absent")
    return browser, driver


class Browser:
    """One coder at one screen. Every step waits until Label Studio shows what it leads to."""

    def __init__(self, url: str, folder: Path) -> None:
        browser, driver = chromium()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(flag)
        self._driver = webdriver.Chrome(options=options, service=Service(driver))
        self._wait = WebDriverWait(
            self._driver, PATIENCE, ignored_exceptions=[NoSuchElementException, StaleElementReferenceException]
        )
        self._url, self._folder = url, folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.quit()

    def log_in(self, email: str, password: str) -> None:
        self._driver.get(f"{self._url}/user/login/")
        self._driver.find_element(By.NAME, "email").send_keys(email)
        self._driver.find_element(By.NAME, "password").send_keys(password)
        self._driver.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        self._wait.until(lambda driver: "/user/login" not in driver.current_url)

    def open_stream(self, project_id: int) -> None:
        """What the button 'Label All Tasks' opens."""
        self._driver.get(f"{self._url}/projects/{project_id}/data?labeling=1")
        self._wait.until(lambda _: self._choices())

    def text(self) -> str:
        """The text that is to be coded."""
        return self._driver.find_element(By.CSS_SELECTOR, ".lsf-richtext__container").text

    def ticked(self) -> list[str]:
        """The wordings that are ticked, in the order of the screen."""
        return [str(box.get_attribute("name")) for box in self._choices() if box.is_selected()]

    def offered(self) -> list[str]:
        """All wordings that can be ticked."""
        return [str(box.get_attribute("name")) for box in self._choices()]

    def choose(self, wording: str) -> None:
        label = self._driver.find_element(By.XPATH, f"//label[.//input[@name={wording!r}]]")
        label.click()
        self._wait.until(lambda _: wording in self.ticked())

    def submit(self) -> None:
        """Press Submit, and wait until the stream has gone on to another text."""
        before = self.text()
        self._driver.find_element(By.XPATH, "//button[normalize-space()='Submit']").click()
        self._wait.until(lambda _: self._choices() and self.text() != before)

    def seen(self) -> str:
        """Everything written on the screen."""
        return self._driver.find_element(By.TAG_NAME, "body").text

    def screenshot(self, name: str) -> Path:
        file = self._folder / f"{name}.png"
        self._driver.save_screenshot(str(file))
        return file

    def _choices(self) -> list[WebElement]:
        return self._driver.find_elements(By.CSS_SELECTOR, ".lsf-choice input")
