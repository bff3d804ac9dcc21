"""The page of a run in a real browser."""

import pytest

from tasks.publish.page import run_page
from tests.tasks.publish import sample


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The page of a run with classes of any kind of name, and its inputs."""
    from storage.workspace import Workspace
    from tasks.evaluate import label_errors

    root = tmp_path_factory.mktemp("report")
    heat = {}
    made = sample.inputs(Workspace(root), ("cat", *sample.HOSTILE), 20)
    wrong = made.predictions[~made.predictions["correct"]]["image"]
    heat = {name: sample.picture(5) for name in wrong}
    candidates = made.split.head(3)[["image", "name", "split", "label"]].assign(
        suggested="cat", given_probability=0.1, suggested_probability=0.9
    )
    made = sample.inputs(
        Workspace(root),
        ("cat", *sample.HOSTILE),
        20,
        heat_maps=heat,
        doubts=label_errors.Found(candidates, "Three are doubtful."),
    )
    path = root / "report.html"
    path.write_text(run_page.page(made), encoding="utf-8")
    return path, made


@pytest.fixture
def opened(saved, open_page):
    return open_page(saved[0])


def cell(opened, truth, said):
    return opened.page.locator(f'.confusion [data-cell="{truth},{said}"]')


def test_loads_offline_without_a_complaint(opened):
    assert opened.page.locator("h1").inner_text() == "sample"
    assert opened.complaints == []
    assert [url[:5] for url in opened.requests if not url.startswith("data:")] == ["file:"]


def test_no_name_becomes_markup(saved, opened):
    buttons = opened.page.locator("[data-cell]").all()
    assert len(buttons) > len(saved[1].classes)
    for button in buttons:
        button.click()
    assert opened.complaints == []
    assert opened.page.locator("[onerror]").count() == 0
    headings = opened.page.locator(".confusion tbody th").all_inner_texts()
    assert headings == saved[1].classes


def test_a_cell_shows_exactly_its_pictures(saved, opened):
    made = saved[1]
    table = made.shown_predictions()
    for truth, row in enumerate(made.headline["confusion"]):
        for said, count in enumerate(row):
            button = cell(opened, truth, said)
            assert button.count() == (count > 0)
            if not count:
                continue
            button.click()
            names = opened.page.locator("#cell-pictures .name").all_inner_texts()
            there = (table["label"] == made.classes[truth]) & (
                table["predicted"] == made.classes[said]
            )
            assert sorted(names) == sorted(table.loc[there, "name"])
            assert opened.page.locator("#cell-pictures img").count() == count
            assert button.get_attribute("aria-pressed") == "true"


def test_a_cell_shows_the_right_pixels(saved, opened):
    from tasks.publish import thumbnails

    made = saved[1]
    row = made.shown_predictions().iloc[0]
    cell(opened, made.classes.index(row["label"]), made.classes.index(row["predicted"])).click()
    tile = opened.page.locator("#cell-pictures .tile", has_text=row["name"]).first
    expected = thumbnails.thumbnail(made.images.read(row["image"]))
    assert tile.locator("img").get_attribute("src") == expected


def test_every_picture_is_there_and_says_what_it_is(saved, opened):
    cell(opened, 0, 0).click()
    for details in opened.page.locator("details").all():
        details.evaluate("one => one.open = true")
    pictures = opened.page.locator("img").all()
    assert len(pictures) > len(saved[1].classes)
    for img in pictures:
        assert img.get_attribute("alt")
        img.scroll_into_view_if_needed() if img.is_visible() else None
        assert img.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0


def test_a_heading_sorts_and_sorts_back(opened):
    table = opened.page.locator("#results table.sortable")
    heading = table.locator("thead th").nth(3)

    def recalls():
        cells = table.locator("tbody tr td:nth-child(4)")
        return [float(one.get_attribute("data-value")) for one in cells.all()]

    heading.locator("button").click()
    assert recalls() == sorted(recalls(), reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").click()
    assert recalls() == sorted(recalls())
    assert heading.get_attribute("aria-sort") == "ascending"


def test_the_keyboard_reaches_a_cell_and_its_pictures(opened):
    button = cell(opened, 0, 0)
    button.focus()
    opened.page.keyboard.press("Enter")
    focused = opened.page.evaluate("document.activeElement.id")
    assert focused == "cell-title"
    assert opened.page.locator("#cell-title").is_visible()


def test_grad_cam_is_shown_on_demand(opened):
    maps = opened.page.locator("img.heat")
    assert maps.count() > 0
    assert not maps.first.is_visible()
    opened.page.locator("#heat").click()
    assert maps.first.is_visible()
    assert maps.first.get_attribute("alt").startswith("Grad-CAM")
    opened.page.locator("#heat").click()
    assert not maps.first.is_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(saved, open_page, width):
    opened = open_page(saved[0], width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_follows_the_system(saved, open_page):
    def paper(scheme):
        opened = open_page(saved[0], scheme=scheme)
        return opened.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert paper("light") == "rgb(252, 252, 250)"
    assert paper("dark") == "rgb(22, 24, 28)"


def test_prints_on_white_without_its_buttons(saved, open_page):
    opened = open_page(saved[0], scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    body = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert body == "rgb(255, 255, 255)"
    assert not opened.page.locator("header.top").is_visible()
    assert len(opened.page.pdf()) > 10_000


def test_works_without_its_script(saved, browser):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page_ = context.new_page()
    page_.goto(saved[0].as_uri())
    assert page_.locator("#errors img[src]").count() > 0
    assert page_.locator("noscript").count() == 1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(saved, open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = open_page(saved[0], scheme=scheme)
    cell(opened, 0, 0).click()
    for details in opened.page.locator("details").all():
        details.evaluate("one => one.open = true")
    found = axe.Axe().run(opened.page).response["violations"]
    grave = [
        (one["id"], [node["target"] for node in one["nodes"]][:3], one["help"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.fixture(scope="module")
def with_many_classes(tmp_path_factory):
    from storage.workspace import Workspace

    root = tmp_path_factory.mktemp("many")
    classes = [f"class {number:02} with a name of some length" for number in range(40)]
    made = sample.inputs(Workspace(root), classes, 6)
    path = root / "report.html"
    path.write_text(run_page.page(made), encoding="utf-8")
    return path, made


def test_many_classes_lead_with_the_weakest_and_can_be_searched(with_many_classes, open_page):
    opened = open_page(with_many_classes[0])
    table = opened.page.locator("#class-table tbody")
    f1 = [float(text) for text in table.locator("tr").evaluate_all(
        "rows => rows.map(row => row.cells[5].dataset.value)")]  # fmt: skip
    assert len(f1) == 40
    assert f1 == sorted(f1)
    opened.page.locator("#find-class").fill("CLASS 3")
    assert table.locator("tr:visible").count() == 10
    assert opened.page.locator("#found-classes").inner_text() == "10 of 40 classes"
    opened.page.locator("#find-class").fill("")
    assert table.locator("tr:visible").count() == 40
    assert opened.complaints == []


def test_the_map_of_many_classes_shows_the_pictures_of_a_point(with_many_classes, open_page):
    path, made = with_many_classes
    opened = open_page(path)
    canvas = opened.page.locator("#heat-map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    truth, predicted = next((t, p) for t, row in enumerate(made.headline["confusion"])
                            for p, count in enumerate(row) if count and t != p)  # fmt: skip
    point = {"x": (predicted + 0.5) * box["width"] / 40, "y": (truth + 0.5) * box["height"] / 40}
    canvas.hover(position=point)
    words = f"{made.classes[truth]} taken for {made.classes[predicted]}"
    count = made.headline["confusion"][truth][predicted]
    assert opened.page.locator("#heat-map-at").inner_text() == f"{words}: {count}"
    canvas.click(position=point)
    assert opened.page.locator("#cell-pictures .tile").count() == count
    painted = canvas.evaluate(
        "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data]",
        [(predicted + 0.5) * 25, (truth + 0.5) * 25],
    )
    assert painted[3] > 0
    assert painted[0] > painted[2]  # orange, not blue


def test_no_table_of_many_classes_is_cut_off(with_many_classes, open_page):
    opened = open_page(with_many_classes[0])
    cut = opened.page.evaluate(
        "[...document.querySelectorAll('.scroll:has(> table)')]"
        ".filter(one => !one.closest('details') && one.scrollWidth > one.clientWidth + 1)"
        ".map(one => one.getAttribute('aria-label'))"
    )
    assert cut == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 1280
