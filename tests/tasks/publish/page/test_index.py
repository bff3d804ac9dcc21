import json

import pytest

from storage import atomic, folders, publications
from storage.errors import ParameterError
from storage.folders import LATEST, METRICS, REPORT, RUN
from storage.publications import Publication
from tasks.evaluate import comparing
from tasks.evaluate.metrics import wilson
from tasks.publish import report_folder
from tasks.publish.page import index, lookup, run_entry
from tasks.publish.release import gate, publication_card
from tasks.publish.wording import percent
from tests.tasks.publish import sample
from tests.tasks.publish.page.test_run_page import Seen


@pytest.fixture
def reported(workspace):
    """Makes a report; its inputs."""

    def make(seed=0, **changes):
        made = sample.inputs(workspace, seed=seed, **changes)
        target = workspace.reports / made.experiment / made.run
        with folders.new_folder(target) as new:
            # What an index reads of a report; drawing all of it would take seconds each time.
            (new / REPORT).write_text("<!doctype html>")
            atomic.write_json(new / RUN, run_entry.entry(made))
        atomic.point(target.parent / LATEST, target)
        return made

    return make


def test_an_index_of_nothing_says_so(workspace):
    assert "No experiment has a report yet" in index.page(index.rows(workspace))


def test_one_run_has_a_date_of_its_own_and_nothing_beside_it(workspace, reported):
    reported(when="2026-01-01T09:40:00+00:00")
    text = index.page(index.rows(workspace))
    links = {one["href"] for one in Seen(text).all("a") if one["href"].startswith("#")}
    assert {"#time", "#runs"} <= links
    assert "#side" not in links
    assert 'id="side"' not in text
    # Its chart spans an hour.
    assert "09:40" in text.partition("<svg")[2]
    assert "2024" not in text


def test_runs_that_can_be_compared_stand_side_by_side(workspace, reported):
    for seed in (1, 2):
        reported(seed, when=f"2026-01-0{seed}T00:00:00+00:00")
    text = index.page(index.rows(workspace))
    assert "#side" in {one["href"] for one in Seen(text).all("a")}
    assert 'id="side"' in text


def test_every_run_is_listed_newest_first(workspace, reported):
    reported(1, when="2026-01-01T00:00:00+00:00")
    reported(2, when="2026-01-03T00:00:00+00:00")
    reported(3, when="2026-01-02T00:00:00+00:00", experiment="other")
    rows = index.rows(workspace)
    assert [row.entry["when"][:10] for row in rows] == ["2026-01-03", "2026-01-02", "2026-01-01"]
    path = index.write(workspace)
    assert path == workspace.reports / "index.html"
    seen = Seen(path.read_text())
    links = {one["href"] for one in seen.all("a") if one["href"].endswith(REPORT)}
    assert len(links) == 3
    assert all((path.parent / link).is_file() for link in links)


def test_a_report_without_an_entry_of_its_own_is_passed_over(workspace, reported):
    made = reported()
    (workspace.reports / made.experiment / made.run / RUN).unlink()
    assert index.rows(workspace) == []
    assert "No experiment has a report yet" in index.page(index.rows(workspace))


def test_the_latest_run_is_the_one_that_report_open_shows(workspace, reported):
    first = reported(1, when="2026-01-01T00:00:00+00:00")
    reported(2, when="2026-01-02T00:00:00+00:00")
    # As after a run with the first one's parameters, all of it cached.
    folder = workspace.reports / "sample"
    atomic.point(folder / LATEST, folder / first.run)
    (standing,) = index.standings(index.rows(workspace))
    assert standing.latest.entry["run"] == first.run
    assert lookup.find(workspace, "sample").name == first.run


def test_what_was_changed_since_the_run_before_has_a_column(workspace, reported):
    for seed, epochs in ((1, 5), (2, 9), (3, 9)):
        reported(
            seed, when=f"2026-01-0{seed}T00:00:00+00:00",
            parameters={"training": {"epochs": epochs}, "split": {"seed": 7}},
        )  # fmt: skip
    found = index.rows(workspace)
    said = [index.changed(found).get(row.link) for row in found]
    assert said == ["", "training.epochs: 5 → 9", None]
    assert "training.epochs: 5 → 9" in Seen(index.page(index.rows(workspace))).text


def test_a_comparison_says_what_differs_and_nothing_else(workspace, reported):
    first = reported(1, parameters={"training": {"epochs": 5, "seed": 1}})
    reported(2, parameters={"training": {"epochs": 9, "seed": 1}})
    found = lookup.compare(workspace, f"sample/{first.run}", "sample")
    assert found.changed == ["  training.epochs: 5 -> 9"]
    assert "training.seed" not in found.text


def test_a_damaged_report_does_not_spoil_the_index(workspace, reported):
    reported(1)
    made = reported(2)
    damaged = workspace.reports / made.experiment / made.run
    (damaged / RUN).write_text("{")
    (damaged / METRICS).write_text("{")
    assert len(index.rows(workspace)) == 1


def test_answers_give_mcnemar_without_the_tables(workspace, reported):
    first, second = reported(1), reported(2)
    pair = comparing.paired(first.predictions, second.predictions)
    (pictures, bits), (same, others) = (
        run_entry.answers(one.predictions) for one in (first, second)
    )
    assert pictures == same
    a, b = (bin(int(text, 16) | 1 << 4 * len(text))[3:] for text in (bits, others))
    only_first = sum(x > y for x, y in zip(a, b, strict=True))
    assert (only_first, a.count("1")) == (pair.only_first, pair.both_right + pair.only_first)


def test_the_published_run_is_marked(workspace, reported):
    made = reported()
    (workspace.root / made.model).mkdir(parents=True)
    report = f"reports/{made.experiment}/{made.run}"
    judgement = gate.judge(gate.Gate(), made.predictions, metrics=made.metrics["test"])
    publications.publish(
        workspace,
        Publication(
            experiment="sample", when=made.when, model=made.model, evaluation=made.evaluation,
            report=report, accuracy=0.9, judgement=judgement.text,
            card=publication_card.card(made, judgement, "# Model card\n"),
        ),
    )  # fmt: skip
    (row,) = index.rows(workspace)
    assert row.published
    text = publications.link(workspace, "sample").with_name("sample.md").read_text()
    assert "| test | 48 |" in text
    assert "Nothing was published before" in text


def test_a_card_gives_the_numbers_of_its_own_model_not_the_mean_over_seeds(workspace):
    made = sample.inputs(workspace)
    accuracy = made.metrics["test"]["accuracy"]
    accuracy |= {"mean": 0.25, "low": 0.2, "high": 0.3, "published": 0.75}
    made.metrics["test"]["balanced_accuracy"] |= {"mean": 0.1, "published": 0.7}
    made.metrics["test"]["macro_f1"] |= {"mean": 0.1, "published": 0.6}
    made.metrics["test"]["log_loss"] |= {"mean": 9.0, "published": 0.5}
    made.metrics["test"]["roc_auc"] |= {"mean": 0.1, "published": 0.75}
    judgement = gate.judge(gate.Gate(), made.predictions, metrics=made.metrics["test"])
    (line,) = [
        line
        for line in publication_card.card(made, judgement, "# Model card\n").splitlines()
        if line.startswith("| test |")
    ]
    low, high = wilson(36, 48)
    interval = f"{percent(low)} to {percent(high)}"
    balanced = "70.0\u202f% | 60.0\u202f%"
    assert line == f"| test | 48 | 75.0\u202f% | {interval} | {balanced} | 0.5000 | 0.7500 |"


def test_the_best_run_is_of_the_split_that_the_latest_is_judged_by(workspace, reported):
    early = reported(1, when="2026-01-01T00:00:00+00:00")
    path = workspace.reports / early.experiment / early.run / RUN
    only_train = json.loads(path.read_text())
    only_train["splits"] = {"train": only_train["splits"]["train"]}
    only_train["splits"]["train"]["accuracy"]["mean"] = 1.0
    path.chmod(0o644)
    path.write_text(json.dumps(only_train))
    reported(2, when="2026-01-02T00:00:00+00:00")
    ((_, runs, latest, best),) = index.standings(index.rows(workspace))
    assert (runs, latest.split, best.split) == (2, "test", "test")


def test_the_index_reads_no_confusion_matrices(workspace, reported):
    reported()
    (row,) = index.rows(workspace)
    assert "confusion" not in row.metrics
    assert row.metrics["per_class"]


def test_finds_reports_by_experiment_run_and_path(workspace, reported):
    first, last = reported(1), reported(2)
    place = workspace.reports / "sample"
    assert lookup.find(workspace, "sample") == place / last.run
    assert lookup.find(workspace, f"sample/{first.run}") == place / first.run
    assert lookup.find(workspace, str(place / first.run)) == place / first.run
    assert lookup.find(workspace, str(place / first.run / REPORT)) == place / first.run
    for name in ("sampel", "sample/none", ""):
        with pytest.raises(ParameterError, match="expected an experiment with a report"):
            lookup.find(workspace, name)
    with pytest.raises(ParameterError, match="one of sample"):
        lookup.find(workspace, "sampel")


def test_opens_the_page(workspace, reported, monkeypatch):
    made, opened = reported(), []
    monkeypatch.setattr("webbrowser.open", opened.append)
    address = lookup.open_page(lookup.find(workspace, "sample"))
    assert opened == [address]
    assert address.endswith(f"/{made.run}/{REPORT}")


def test_compares_two_runs(workspace, reported):
    first, second = reported(1), reported(2)
    found = lookup.compare(workspace, f"sample/{first.run}", "sample")
    assert found.pair == comparing.paired(first.predictions, second.predictions)
    assert f"sample/{second.run}: test accuracy" in found.text
    assert "exact McNemar p =" in found.text


def test_earlier_is_the_published_run_else_the_one_before(workspace, reported):
    assert lookup.earlier(workspace, "sample", "evaluations/none") is None
    first, second = reported(1), reported(2)
    assert lookup.earlier(workspace, "sample", second.evaluation).run == first.run
    assert lookup.earlier(workspace, "sample", "evaluations/new").run == second.run
    (workspace.root / first.model).mkdir(parents=True)
    publications.publish(
        workspace,
        Publication(
            experiment="sample", when=first.when, model=first.model, evaluation=first.evaluation,
            report=f"reports/sample/{first.run}", accuracy=0.9, judgement="",
        ),
    )  # fmt: skip
    found = lookup.earlier(workspace, "sample", "evaluations/new")
    assert (found.run, found.published) == (first.run, True)


def test_strange_names_are_text_in_the_index(workspace, reported):
    name = sample.HOSTILE[0]
    made = sample.inputs(workspace, sample.HOSTILE, 12, experiment=name)
    target = workspace.reports / "strange #1%" / "r?n"
    with folders.new_folder(target) as new:
        report_folder.write(new, made)
    seen = Seen(index.page(index.rows(workspace)))
    assert name in seen.text
    assert all("onerror" not in attributes for _, attributes in seen.elements)
    assert "strange%20%231%25/r%3Fn/report.html" in [one["href"] for one in seen.all("a")]
    assert json.dumps(seen.data["runs"][0]["name"]).startswith('"<img')


def test_runs_led_by_another_figure_say_so_and_are_ranked_among_themselves(workspace, reported):
    reported(1, when="2026-01-01T00:00:00+00:00")
    led = reported(2, when="2026-01-02T00:00:00+00:00", leading="macro_f1")
    first, second = index.rows(workspace)
    assert (first.leading, second.leading) == ("macro_f1", "accuracy")
    assert first.figure["mean"] == led.headline["macro_f1"]["mean"]
    assert index.standings([first, second])[0].best == first
    text = Seen(index.page(index.rows(workspace))).text
    assert "macro F1" in text
    assert "Headline figure" in text


def test_an_index_that_shows_all_there_is_is_not_drawn_again(workspace, reported, monkeypatch):
    reported(1, when="2026-01-01T00:00:00+00:00")
    drawn, real = [], index.over_time
    monkeypatch.setattr(index, "over_time", lambda rows: drawn.append(len(rows)) or real(rows))
    path = index.write(workspace)
    before = path.read_bytes()
    index.write(workspace)
    assert (drawn, path.read_bytes()) == ([1], before)
    reported(2, when="2026-01-02T00:00:00+00:00")
    index.write(workspace)
    assert drawn == [1, 2]
    assert path.read_bytes() != before


@pytest.mark.parametrize("damage", [lambda page: page[:-9], lambda page: b"X" + page[1:],
                                    lambda page: b""])  # fmt: skip
def test_a_damaged_index_is_made_again(workspace, reported, damage):
    reported(1, when="2026-01-01T00:00:00+00:00")
    path = index.write(workspace)
    before = path.read_text()
    path.write_bytes(damage(path.read_bytes()))
    index.write(workspace)
    assert "sample" in path.read_text()
    assert path.stat().st_size == len(before.encode())
    path.unlink()
    index.write(workspace)
    assert path.is_file()
