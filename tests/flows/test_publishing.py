"""Models are published only through the gate, and one command takes them back."""

import re
import shutil
from pathlib import Path

import pytest

from storage import publications
from storage.errors import GateClosed, ParameterError
from tests.flows.conftest import parameters
from tests.pictures import write_folders


def gated(experiment, **gate):
    publish = experiment.publish
    rule = publish.gate.model_copy(update=gate)
    return experiment.model_copy(update={"publish": publish.model_copy(update={"gate": rule})})


def with_epochs(experiment, epochs):
    training = experiment.training.model_copy(update={"epochs": epochs})
    return experiment.model_copy(update={"training": training})


def test_a_first_model_is_published_with_a_card(developed, workspace):
    link = workspace.models / "published" / "small"
    assert (link / "model.keras").samefile(developed["model"])
    card = (workspace.models / "published" / "small.md").read_text()
    assert "Nothing was published before" in card


def test_a_model_below_the_floor_fails_the_run_and_keeps_its_report(
    run, experiment, developed, workspace
):
    for folder in (
        workspace.models / publications.FOLDER,
        workspace.reports,
        workspace.generations,
    ):
        shutil.rmtree(folder)
    with pytest.raises(GateClosed, match=r"below the floor of 100.0%"):
        run(gated(with_epochs(experiment, 1), floor=1.0))
    assert publications.current(workspace, "small") is None
    assert (workspace.reports / "small" / "latest" / "report.html").is_file()


def test_a_floor_that_was_raised_over_a_published_model_fails_the_run(run, experiment, developed):
    accuracy = developed["metrics"]["test"]["accuracy"]["published"]
    if accuracy == 1.0:
        pytest.skip("no floor is above this model")
    with pytest.raises(GateClosed, match="is published, and would not be now"):
        run(gated(experiment, floor=1.0))


def test_a_closed_gate_is_a_failed_run_with_its_reason(prefect_server, experiment, developed):
    from flows.pipeline import pipeline

    rule = gated(with_epochs(experiment, 1), floor=1.0)
    fields = {name: getattr(rule, name) for name in type(rule).model_fields}
    state = pipeline(**fields, return_state=True)
    assert state.is_failed()
    assert "below the floor" in state.message


def first_model(workspace, first_run):
    """The place of the first run's model, which the second run's took."""
    model = Path(first_run[1]["model"]).parent.relative_to(first_run[0]).as_posix()
    assert publications.current(workspace, "small").model != model
    return model


def test_a_published_model_can_be_taken_back(
    answered, run, experiment, developed_twice, first_run, workspace
):
    first = first_model(workspace, first_run)
    code, _, err = answered("report", "take-back", "small")
    assert code == 0, err
    assert publications.current(workspace, "small").model == first
    assert answered("report", "take-back", "small")[0] == 1
    # The same run again, all cached, does not publish what was taken back.
    run(with_epochs(experiment, 4))
    assert publications.current(workspace, "small").model == first


def test_reports_are_opened_and_compared_by_name(
    answered, developed_twice, first_run, workspace, monkeypatch
):
    monkeypatch.setenv("BROWSER", "true")
    first = Path(first_run[1]["report"]).parent.name
    process = answered("report", "compare", "small", f"small/{first}")
    assert process[0] == 0
    code, _, err = answered("report", "open", "smal")
    assert code == 2
    assert "small" in err
    assert answered("report", "open", "small")[0] == 0


def test_the_index_lists_every_run(developed_twice, first_run, workspace):
    page = (workspace.reports / "index.html").read_text()
    for result in (first_run[1], developed_twice):
        assert Path(result["report"]).parent.name in page


def test_gc_keeps_what_can_be_taken_back_to(developed_twice, first_run, workspace):
    from storage.inventory import looking

    gone = looking.unneeded(workspace)
    assert workspace.root / first_model(workspace, first_run) not in gone
    assert looking.damaged(workspace) == []


def test_a_dropped_experiment_is_forgotten_and_gc_frees_what_it_needed(
    run, experiment, developed, workspace, capsys
):
    from flows.command import cache
    from storage.inventory import looking

    # One whose name begins the same keeps what it has.
    run(experiment.model_copy(update={"experiment": "small-1"}))
    cache.drop("small")
    assert "nothing was removed" in capsys.readouterr().out
    assert publications.current(workspace, "small") is not None

    cache.drop("small", yes=True)
    left = [path.relative_to(workspace.root).as_posix() for path in named(workspace, "small")]
    assert left == []
    assert named(workspace, "small-1")
    assert "small-1" in (workspace.reports / "index.html").read_text()
    assert Path(developed["model"]).is_file()
    assert looking.unneeded(workspace) == []  # small-1 needs the same

    cache.drop("small-1", yes=True)
    looking.remove(looking.unneeded(workspace))
    assert not Path(developed["model"]).exists()
    assert not any(path.is_file() for path in workspace.images.rglob("*"))
    with pytest.raises(ParameterError, match="nothing is stored of an experiment 'small'"):
        cache.drop("small", yes=True)


def named(workspace, experiment):
    """Whatever is called as the experiment, locks aside."""
    names = re.compile(rf"{experiment}(-\d+\.json|\.history\.json|\.md)?")
    found = (path for path in workspace.root.rglob("*") if names.fullmatch(path.name))
    return [path for path in found if workspace.locks not in path.parents]


def test_without_test_pictures_nothing_is_published_and_nothing_fails(run, experiment, workspace):
    from tasks.split.parameters import Fractions

    shares = Fractions(train=0.6, validation=0.4, test=0)
    split = experiment.split.model_copy(update={"fractions": shares})
    result = run(experiment.model_copy(update={"split": split}))
    assert "test" not in result["metrics"]
    assert publications.current(workspace, "small") is None


def test_a_class_folder_that_is_away_for_a_day_costs_no_model_and_no_work(
    run, prefect_server, workspace, tmp_path
):
    from flows.parameters import Experiment
    from flows.refresh import refresh

    folder = write_folders(tmp_path / "pictures", 12, classes=("ant", "bee", "cow"))
    experiment = Experiment.model_validate(parameters(folder))
    fields = {name: getattr(experiment, name) for name in type(experiment).model_fields}
    run(experiment)
    before = publications.current(workspace, "small")
    (folder / "cow").rename(tmp_path / "cow")
    state = refresh(**fields, return_state=True)
    assert state.is_failed()
    assert "A class of the current model is gone: cow." in state.message
    assert "publish.gate.accept_loss=true" in state.message
    assert publications.current(workspace, "small") == before
    page = (workspace.reports / "small" / "latest" / "report.html").read_text()
    assert "Something is missing" in page
    assert "A class of the published model is gone: cow." in page
    (tmp_path / "cow").rename(folder / "cow")
    state = refresh(**fields, return_state=True)
    assert state.is_completed()
    done = state.result()
    states = {step["name"]: step["state"] for step in done["steps"]}
    # The split asks its lineage, and comes to what it was; nothing is looked at or computed.
    assert [name for name, one in states.items() if one == "executed"] in (
        ["split"], ["acquire", "split"],
    )  # fmt: skip
    assert done["counts"]["decoded"] == 0
    assert (done["counts"]["extracted"], done["counts"]["epochs"]) == (0, 0)
    assert publications.current(workspace, "small") == before
