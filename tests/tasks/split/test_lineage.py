import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import generations, manifests
from storage.errors import StorageDamaged
from storage.references import ImagesRef, SplitRef
from tasks.running import code_fingerprint
from tasks.split import lineage
from tasks.split.parameters import Fractions, Split
from tasks.split.rules import assign
from tests.tasks.split.tables import images

A = images(cat=[1] * 10, dog=[2] * 8)
B = images(cat=[1] * 14, dog=[2] * 11)


@pytest.fixture
def visit(workspace):
    """Split a table as the step does; (the assignment it continued, image -> split)."""

    def split(table, line="mine", seed=7, amounts=Fractions(), meanwhile=lambda: None):
        images, parameters = _images(workspace, table), Split(fractions=amounts, seed=seed)
        previous = lineage.previous_assignment(workspace, line, parameters, images)
        meanwhile()
        earlier = lineage.assignment_of(workspace, previous)
        placed, _ = assign(table, parameters, earlier)
        lineage.remember(workspace, line, parameters, images, _split(workspace, placed), previous)
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
    assert lineage.previous_assignment(workspace, None, Split(), _images(workspace, B)) is None
    assert lineage.previous_assignment(workspace, "mine", Split(), None) is None
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
    found = [path for path in workspace.root.rglob("*.json") if path.is_file()]
    assert {path.parent for path in found} == {folder}
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


def test_other_code_continues_the_newest_and_not_the_one_before(workspace, visit, monkeypatch):
    visit(A)
    _, before = visit(B)
    monkeypatch.setattr(code_fingerprint, "fingerprint", {"tasks.split": "other"}.__getitem__)
    previous, after = visit(B)
    assert lineage.assignment_of(workspace, previous) == before == after
    assert visit(B) == (previous, after)


def _memory(workspace, table):
    """Image -> split as another run with these images and shares of its own would continue it."""
    other = Split(fractions=Fractions(train=0.4, validation=0.3, test=0.3))
    images = _images(workspace, table)
    return lineage.assignment_of(
        workspace, lineage.previous_assignment(workspace, "mine", other, images)
    )


def test_of_two_runs_at_once_the_first_is_remembered_and_the_other_added(workspace, visit):
    many = images(cat=[1] * 60, dog=[1] * 60)
    one = many.iloc[[*range(40), *range(60, 100)]].reset_index(drop=True)
    other = many.iloc[[*range(20, 60), *range(80, 120)]].reset_index(drop=True)
    firsts = []
    _, late = visit(other, meanwhile=lambda: firsts.append(visit(one)[1]))
    (first,) = firsts
    both = first.keys() & late.keys()
    assert any(first[name] != late[name] for name in both)
    memory = _memory(workspace, many)
    assert memory == late | first
    assert memory.keys() == set(many["image"])


def test_after_two_runs_at_once_nothing_moves_any_more(workspace, visit):
    one, other = images(cat=[1] * 30, dog=[1] * 9), images(cat=[1] * 40, dog=[1] * 20)
    visit(other, meanwhile=lambda: visit(one))
    memory = _memory(workspace, A)
    previous, again = visit(other)
    assert lineage.assignment_of(workspace, previous) == memory == again
    assert visit(other) == (previous, again)
    assert visit(one)[1].items() <= memory.items()
    assert _memory(workspace, A) == memory


def test_two_runs_at_once_tear_no_group_that_only_one_of_them_saw_whole(workspace, visit):
    one = images(cat=[1] * 40)
    other = images(cat=[2] * 40 + [1] * 40)
    firsts = []
    _, late = visit(other, meanwhile=lambda: firsts.append(visit(one)[1]))
    assert any(late[name] != split for name, split in firsts[0].items())
    _, after = visit(other)
    assert firsts[0].items() <= after.items()
    assert (
        other.assign(split=other["image"].map(after)).groupby("group")["split"].nunique().max() == 1
    )


def test_the_same_run_twice_at_once_is_one(workspace, visit):
    firsts = []
    late = visit(A, meanwhile=lambda: firsts.append(visit(A)))
    assert firsts == [late]
    assert visit(A) == late


def test_many_runs_at_once_forget_no_picture(workspace, visit):
    tables = [images(**{f"class{n}": [1] * 12}) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        splits = [places for _, places in pool.map(visit, tables)]
    assert _memory(workspace, A) == {k: v for places in splits for k, v in places.items()}


def _damaged(path, damage):
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:40] + path.read_bytes()[-40:])
    else:
        path.write_bytes(path.read_bytes().replace(b"train", b"tests"))


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
@pytest.mark.parametrize("both", [True, False], ids=["line and table", "table"])
def test_damage_loses_nothing_that_a_lineage_remembers(workspace, visit, capsys, damage, both):
    _, before = visit(A)
    images = _images(workspace, B)
    table = workspace.path(lineage.previous_assignment(workspace, "mine", Split(), images))
    _damaged(table, damage)
    if both:
        _damaged(workspace.lineage("mine", 7), "cut")
    _, after = visit(B)
    assert before.items() <= after.items()
    assert f"{table} was damaged or gone: its copy takes its place" in capsys.readouterr().err


def test_where_its_newest_copy_is_damaged_as_well_a_lineage_stops_the_run(workspace, visit):
    visit(A)
    line = workspace.lineage("mine", 7)
    _damaged(line, "cut")
    (copy,) = generations.copies(workspace, line)
    _damaged(copy, "cut")
    with pytest.raises(StorageDamaged, match="cache verify --repair") as failure:
        visit(B)
    assert str(line) in str(failure.value)


def test_without_copies_a_damaged_lineage_stops_the_run(workspace, visit):
    visit(A)
    shutil.rmtree(workspace.generations)
    line = workspace.lineage("mine", 7)
    line.write_text(line.read_text()[:30])
    with pytest.raises(StorageDamaged, match="restore it, or `darkroom cache drop`") as failure:
        visit(B)
    assert str(line) in str(failure.value)


def test_without_copies_a_damaged_assignment_stops_the_run(workspace, visit):
    visit(A)
    images = _images(workspace, B)
    table = workspace.path(lineage.previous_assignment(workspace, "mine", Split(), images))
    shutil.rmtree(workspace.generations)
    _damaged(table, "cut")
    with pytest.raises(StorageDamaged, match="restore it") as failure:
        visit(B)
    assert str(table) in str(failure.value)
