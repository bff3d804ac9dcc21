"""What there is to look at, in a real browser."""

import pytest

from storage.workspace import Workspace
from tasks.publish.page import run_page
from tests.tasks.publish import sample
from tests.tasks.publish.figures import test_to_look_at


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A page with every figure, of classes with any kind of name."""
    root = tmp_path_factory.mktemp("look")
    made = test_to_look_at.whole_inputs(Workspace(root), ("cat", *sample.HOSTILE), 20)
    path = root / "report.html"
    path.write_text(run_page.page(made), encoding="utf-8")
    return path


def test_every_figure_is_there_offline_without_a_complaint(saved, open_page):
    opened = open_page(saved)
    images = opened.page.locator("#look img:not(.heat)").all()
    assert len(images) == 8 + 5 + 1 + 1
    for img in images:
        img.scroll_into_view_if_needed()
        assert img.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    assert opened.page.locator("#look svg").count() == 1
    assert opened.complaints == []
    assert [url[:5] for url in opened.requests if not url.startswith("data:")] == ["file:"]


def test_either_button_shows_every_heat_map(saved, open_page):
    opened = open_page(saved)
    maps = opened.page.locator("img.heat")
    buttons = opened.page.locator("[data-heat]")
    assert buttons.count() == 2
    for number, shown in ((1, True), (0, False), (0, True), (1, False)):
        buttons.nth(number).click()
        assert {one.is_visible() for one in maps.all()} == {shown}
        assert {one.get_attribute("aria-pressed") for one in buttons.all()} == {str(shown).lower()}


def test_a_heat_map_covers_its_picture(saved, open_page):
    opened = open_page(saved)
    opened.page.locator("#look [data-heat]").click()
    for tile in opened.page.locator("#look .tile:has(.heat)").all():
        under, over = tile.locator("img").all()
        assert under.bounding_box() == over.bounding_box()
        shapes = [
            one.evaluate("one => one.naturalWidth / one.naturalHeight") for one in (under, over)
        ]
        assert shapes[0] == pytest.approx(shapes[1], rel=0.05)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(saved, open_page, width):
    opened = open_page(saved, width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(saved, open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = open_page(saved, scheme=scheme)
    opened.page.locator("#look [data-heat]").click()
    for details in opened.page.locator("details").all():
        details.evaluate("one => one.open = true")
    found = axe.Axe().run(opened.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
