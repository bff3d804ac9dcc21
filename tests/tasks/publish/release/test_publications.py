import multiprocessing
import shutil

import pytest

from storage import atomic, publications
from storage.errors import StorageDamaged
from storage.publications import NothingToTakeBack, Publication


@pytest.fixture
def model(workspace):
    def make(name, experiment="digits", card=""):
        (workspace.models / name).mkdir(parents=True, exist_ok=True)
        return Publication(
            experiment=experiment,
            when=f"2026-01-01T00:00:0{len(name)}+00:00",
            model=f"models/{name}",
            evaluation=f"evaluations/{name}",
            report=f"reports/{experiment}/{name}",
            accuracy=0.9,
            judgement="fine",
            card=card,
        )

    return make


def leads_to(workspace, experiment="digits"):
    return publications.link(workspace, experiment).resolve().name


def test_nothing_is_published_at_first(workspace):
    assert publications.current(workspace, "digits") is None
    assert publications.history(workspace, "digits") == []
    with pytest.raises(NothingToTakeBack, match="found none"):
        publications.take_back(workspace, "digits", "now")


def test_publishing_moves_the_link_and_remembers(workspace, model):
    for name in ("a", "bb"):
        publications.publish(workspace, model(name))
    assert leads_to(workspace) == "bb"
    assert publications.current(workspace, "digits") == model("bb")
    assert [event.publication.model for event in publications.history(workspace, "digits")] == [
        "models/a",
        "models/bb",
    ]
    link = publications.link(workspace, "digits")
    assert str(link.readlink()) == "../bb"


def test_the_same_model_twice_is_one_publication(workspace, model):
    publications.publish(workspace, model("a"))
    publications.publish(workspace, model("a"))
    assert len(publications.history(workspace, "digits")) == 1


def test_taking_back_goes_one_further_each_time(workspace, model):
    for name in ("a", "bb", "ccc"):
        publications.publish(workspace, model(name))
    assert publications.take_back(workspace, "digits", "t1").model == "models/bb"
    assert publications.take_back(workspace, "digits", "t2").model == "models/a"
    assert leads_to(workspace) == "a"
    with pytest.raises(NothingToTakeBack, match="only the current one"):
        publications.take_back(workspace, "digits", "t3")
    publications.publish(workspace, model("dddd"))
    assert publications.take_back(workspace, "digits", "t4").model == "models/a"
    actions = [event.action for event in publications.history(workspace, "digits")]
    assert actions == ["published"] * 3 + ["taken back"] * 2 + ["published", "taken back"]


def test_a_predecessor_that_is_gone_cannot_come_back(workspace, model):
    for name in ("a", "bb"):
        publications.publish(workspace, model(name))
    (workspace.models / "a").rmdir()
    with pytest.raises(NothingToTakeBack, match="is gone"):
        publications.take_back(workspace, "digits", "t")
    assert leads_to(workspace) == "bb"


def test_a_kill_between_log_and_link_is_mended(workspace, model, monkeypatch):
    publications.publish(workspace, model("a"))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "point", killed)
        with pytest.raises(KeyboardInterrupt):
            publications.publish(workspace, model("bb"))
    assert leads_to(workspace) == "a"
    assert publications.current(workspace, "digits") == model("bb")
    assert leads_to(workspace) == "bb"


def test_the_card_lies_beside_the_link(workspace, model):
    publications.publish(workspace, model("a", card="# one"))
    publications.publish(workspace, model("bb", card="# two"))
    card = workspace.models / "published" / "digits.md"
    assert card.read_text() == "# two"
    publications.take_back(workspace, "digits", "t")
    assert card.read_text() == "# one"


def test_experiments_do_not_mix_and_any_name_is_fit(workspace, model):
    strange = '<img src=x>/../"é'
    publications.publish(workspace, model("a", strange))
    publications.publish(workspace, model("bb"))
    assert leads_to(workspace, strange) == "a"
    assert publications.link(workspace, strange).parent == workspace.models / "published"


def test_needed_is_what_stands(workspace, model):
    for name in ("a", "bb", "ccc"):
        publications.publish(workspace, model(name))
    publications.take_back(workspace, "digits", "t")
    needed = {
        path.relative_to(workspace.root).as_posix() for path in publications.needed(workspace)
    }
    assert {"models/a", "models/bb", "evaluations/a", "reports/digits/bb"} <= needed
    assert "models/ccc" not in needed


def test_a_damaged_log_is_an_error_not_a_guess(workspace, model):
    publications.publish(workspace, model("a"))
    log = workspace.models / "published" / "digits.history.json"
    log.write_text("{")
    assert publications.current(workspace, "digits").model == "models/a"  # its copy says so
    log.write_text("{")
    shutil.rmtree(workspace.generations)
    with pytest.raises(StorageDamaged, match="expected the log"):
        publications.current(workspace, "digits")


def _publish(root, name):
    from storage.workspace import Workspace

    workspace = Workspace(root)
    publications.publish(
        workspace,
        Publication(experiment="digits", when="t", model=f"models/{name}", evaluation="", report="",
                    accuracy=1, judgement=""),
    )  # fmt: skip


def test_two_at_once_lose_nothing(workspace, model):
    names = [f"m{number}" for number in range(6)]
    for name in names:
        model(name)
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=_publish, args=(workspace.root, name)) for name in names]
    for process in running:
        process.start()
    for process in running:
        process.join(30)
        assert process.exitcode == 0
    events = publications.history(workspace, "digits")
    assert sorted(event.publication.model for event in events) == [f"models/{n}" for n in names]
    assert leads_to(workspace) == events[-1].publication.model.removeprefix("models/")
