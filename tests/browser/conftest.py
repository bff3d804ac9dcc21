"""A real Chromium without a network; without one the tests are skipped and say so."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_path():
    """Where a Chromium is, None if there is none; `$DARKROOM_BROWSER` overrides."""
    named = os.environ.get("DARKROOM_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")  # Playwright keeps an event loop running while it is open
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    path = browser_path()
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


class Opened:
    """A page on a machine without a network, and what went wrong in it."""

    def __init__(self, page):
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.requests.append(request.url))

    def _hear(self, kind, text):
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _dialog(self, dialog):
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def open_page(browser):
    """Opens a file: dark or light, wide or narrow."""
    contexts = []

    def opener(path, *, scheme="light", width=1280):
        context = browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.goto(path.as_uri())
        return opened

    yield opener
    for context in contexts:
        context.close()
