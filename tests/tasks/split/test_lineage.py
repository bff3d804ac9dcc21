import pytest

from storage import manifests
from storage.references import ImagesRef, SplitRef
from tasks.split import lineage
from tasks.split.assignment import assign
from tasks.split.rules import Fractions
from tests.tasks.split.tables import images

A = images(cat=[1] * 10, dog=[2] * 8)
B = images(cat=[1] * 14, dog=[2] * 11)


@pytest.fixture
def visit(workspace):
    """Split a table as the step does; (the assignment it continued, image -> split)."""

    def split(table, line="mine", seed=7, amounts=Fractions()):
        images = _images(workspace, table)
        previous = lineage.previous_assignment(workspace, line, seed, images, amounts)
        earlier = lineage.assignment_of(workspace, previous)
        placed = assign(table, "sticky", amounts, seed, earlier)
        lineage.remember(
            workspace, line, seed, images, amounts, _split(workspace, placed), previous
        )
        return previous, dict(zip(placed["image"], placed["split"], strict=True))

    return split


def _images(workspace, table):
    digest, path = manifests.save(workspace.manifests, table)
    where = workspace.relative(path)
    return ImagesRef(
        digest=digest, where=where, images=len(table), rejected=0, ignored=0, groups=1, classes=()
    )


def _split(workspace, placed):
    digest, path = manifests.save(workspace.manifests, placed)
    where = workspace.relative(path)
    return SplitRef(
        digest=digest, where=where, tree="", classes=(), train=0, validation=0, test=0, left_out=0
    )


def test_the_first_of_a_line_continues_nothing(visit):
    assert visit(A)[0] is None


def test_without_a_line_or_known_images_there_is_nothing_to_continue(workspace, visit):
    visit(A)
    assert (
        lineage.previous_assignment(workspace, None, 7, _images(workspace, B), Fractions()) is None
    )
    assert lineage.previous_assignment(workspace, "mine", 7, None, Fractions()) is None
    assert lineage.assignment_of(workspace, None) == {}


def test_the_same_images_ask_again_for_the_same_assignment(visit):
    assert visit(A) == visit(A) == visit(A)
    first = visit(B)
    assert first[0] is not None
    assert visit(B) == visit(B) == first


def test_more_images_continue_where_the_last_were_put(workspace, visit):
    _, before = visit(A)
    previous, after = visit(B)
    assert lineage.assignment_of(workspace, previous) == before
    assert {name: after[name] for name in before} == before
    assert len(after) == len(B)


def test_there_and_back_and_there_again_moves_nothing(visit):
    _, first = visit(A)
    _, larger = visit(B)
    back, again = visit(A)
    assert again == first
    assert visit(A) == (back, again)
    assert visit(B)[1] == larger


def test_a_picture_that_leaves_and_comes_back_is_put_where_it_was(workspace, visit):
    _, everything = visit(B)
    some = B.iloc[::3].reset_index(drop=True)
    visit(some)
    gone, _ = visit(A)
    assert lineage.assignment_of(workspace, gone) == everything
    assert visit(B)[1] == everything


def test_another_seed_starts_a_new_line(visit):
    visit(A)
    previous, other = visit(A, seed=8)
    assert previous is None
    assert other != visit(A)[1]
    assert visit(A, seed=8) == (None, other)


@pytest.mark.parametrize("line", ["yours", "a/b", "../escape", "ünï", "CON", "x" * 300])
def test_every_experiment_has_a_line_of_its_own(workspace, visit, line):
    visit(A)
    assert visit(A, line=line)[0] is None
    assert visit(B, line=line)[0] is not None
    assert visit(B)[0] is not None
    folder = workspace.splits / "lineage"
    assert {path.parent for path in workspace.root.rglob("*.json")} == {folder}
    assert len(list(folder.iterdir())) == 2


def test_pictures_that_were_left_out_are_not_remembered_as_placed(workspace, visit):
    _, before = visit(A)
    cats = {before[name]: name for name in before if name.startswith("cat")}
    linked = B.copy()
    together = linked["image"].isin(["cat-13-0", cats["train"], cats["test"]])
    linked.loc[together, "group"] = "linked"
    _, after = visit(linked)
    assert after["cat-13-0"] == ""
    previous, apart = visit(B)
    assert "cat-13-0" not in lineage.assignment_of(workspace, previous)
    assert apart["cat-13-0"] != ""


def test_other_shares_start_from_where_everything_is_now(visit):
    _, first = visit(A)
    visit(B)
    _, now = visit(B, amounts=Fractions(train=0.5, validation=0.25, test=0.25))
    assert {image: now[image] for image in first} == first
