"""The page over all runs in a real browser."""

import pytest

from storage import folders
from storage.workspace import Workspace
from tasks.evaluate import comparing
from tasks.publish import report_folder
from tasks.publish.page import index
from tests.tasks.publish import sample


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """An index over three runs, one of another experiment, and the inputs of all."""
    workspace = Workspace(tmp_path_factory.mktemp("index"))
    runs = []
    for seed, name in ((1, "pets"), (2, "pets"), (3, sample.HOSTILE[0])):
        when = f"2026-01-0{seed}T10:00:00+00:00"
        made = sample.inputs(workspace, seed=seed, experiment=name, when=when)
        target = workspace.reports / f"experiment {name[:4].strip('<')}" / made.run
        with folders.new_folder(target) as new:
            report_folder.write(new, made)
        runs.append(made)
    return index.write(workspace), runs


@pytest.fixture
def opened(saved, open_page):
    return open_page(saved[0])


def chosen(opened, first, second):
    for place, made in (("#first", first), ("#second", second)):
        opened.page.locator(place).select_option(label=f"{made.experiment} · {made.run}")
    return opened.page.locator("#paired").inner_text()


def test_loads_offline_without_a_complaint(opened):
    assert opened.page.locator("h1").inner_text() == "All reports"
    assert opened.complaints == []
    assert opened.page.locator("[onerror]").count() == 0


def test_any_two_runs_side_by_side(saved, opened):
    first, second, _ = saved[1]
    pair = comparing.paired(first.predictions, second.predictions)
    text = chosen(opened, first, second)
    assert f"the first alone is right on {pair.only_first}" in text
    assert f"the second alone on {pair.only_second}" in text
    shown = float(text.split("p = ")[1].rstrip(")."))
    assert shown == pytest.approx(pair.p_value, rel=0.06)
    row = opened.page.locator("#compared tr", has_text="test accuracy")
    cells = row.locator("td").all_inner_texts()
    assert cells[0].startswith(f"{100 * first.headline['accuracy']['mean']:.1f}")
    assert cells[1].startswith(f"{100 * second.headline['accuracy']['mean']:.1f}")


def test_a_run_beside_itself_does_not_differ(saved, opened):
    first = saved[1][0]
    text = chosen(opened, first, first)
    assert "p = 1.0" in text
    remarks = opened.page.locator("#compared td:nth-child(4)").all_inner_texts()
    assert set(remarks) == {""}


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 9), (10, 2), (25, 25), (500, 430), (3000, 3200)])
def test_the_scripts_mcnemar_is_ours(opened, a, b):
    assert opened.page.evaluate(f"mcnemar({a}, {b})") == pytest.approx(comparing.mcnemar(a, b))


def test_sorts_by_any_heading(opened):
    table = opened.page.locator("#runs table")
    table.locator("thead th button").nth(2).click()
    dates = table.locator("tbody td:nth-child(3)").all_inner_texts()
    assert dates == sorted(dates)
    table.locator("thead th button").nth(3).click()
    values = [float(one.get_attribute("data-value"))
              for one in table.locator("tbody td:nth-child(4)").all()]  # fmt: skip
    assert values == sorted(values, reverse=True)


def test_leads_to_the_reports(opened):
    opened.page.locator("#runs tbody a").first.click()
    assert opened.page.url.endswith("report.html")
    assert opened.page.locator("h1").inner_text() == sample.HOSTILE[0]


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(saved, open_page, width):
    opened = open_page(saved[0], width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_last_column_of_the_runs_is_not_cut_off(saved, open_page):
    opened = open_page(saved[0], width=1280)
    beyond = "one => one.scrollWidth - one.clientWidth"
    assert opened.page.locator("#runs .scroll").evaluate(beyond) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(saved, open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(open_page(saved[0], scheme=scheme).page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
