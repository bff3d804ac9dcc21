import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate import label_errors

SHAPE = (2, 2, 8)
CLASSES = ["a", "b", "c"]
WRONG = [0, 3, 6, 9]


@pytest.fixture
def clouds():
    """Three clouds of features, and a table whose WRONG carry a wrong label."""
    generator = np.random.default_rng(0)
    true = np.arange(150) % 3
    maps = generator.normal(size=(150, 4, 8)) * 0.5
    maps += np.eye(3, 8)[true][:, None] * 3
    labels = true.copy()
    labels[WRONG] = (true[WRONG] + 1) % 3
    table = pd.DataFrame(
        {
            "image": [f"{number}.jpg" for number in range(150)],
            "name": [f"picture {number}" for number in range(150)],
            "split": "train",
            "label": np.array(CLASSES)[labels],
            "group": [f"{number}.jpg" for number in range(150)],
        }
    )
    return table, maps.reshape(150, -1).astype(np.float16), true


def test_pooling_averages_places(clouds):
    _, features, _ = clouds
    pooled = label_errors.Pooled(lambda rows: features[rows], SHAPE)[np.arange(150)]
    expected = features.astype(np.float32).reshape(150, 2, 2, 8).mean(axis=(1, 2))
    assert pooled.shape == (150, 8)
    assert pooled == pytest.approx(expected, abs=1e-6)


def test_every_picture_is_judged_by_a_model_that_has_not_seen_its_group(monkeypatch, clouds):
    _, features, true = clouds
    from sklearn.linear_model import LogisticRegression

    groups = np.arange(150) // 2
    seen = []
    fit = LogisticRegression.fit

    def watched(self, x, y):
        seen.append(len(y))
        return fit(self, x, y)

    monkeypatch.setattr(LogisticRegression, "fit", watched)
    pooled = label_errors.Pooled(lambda rows: features[rows], SHAPE)[np.arange(150)]
    out = label_errors.out_of_sample(pooled, true, groups)
    assert len(seen) == 5
    assert sum(150 - size for size in seen) == 150
    assert out.sum(axis=1) == pytest.approx(np.ones(150))


def test_finds_the_wrong_labels_and_removes_nothing(clouds):
    table, features, _ = clouds
    before = table.copy()
    found = label_errors.find(table, lambda rows: features[rows], SHAPE, CLASSES)
    # As many as the estimated noise of the class explains: at most one of four is passed over.
    names = set(found.candidates["image"])
    assert names <= {f"{number}.jpg" for number in WRONG}
    assert len(names) >= 3
    first = found.candidates.set_index("image").loc["0.jpg"]
    assert (first["label"], first["suggested"]) == ("b", "a")
    assert first["given_probability"] < 0.5 < first["suggested_probability"]
    assert "Nothing was removed" in found.note
    pd.testing.assert_frame_equal(table, before)


def test_too_few_pictures_are_said(clouds):
    table, features, _ = clouds
    few = table.head(9).reset_index(drop=True)
    found = label_errors.find(few, lambda rows: features[rows], SHAPE, CLASSES)
    assert found.candidates.empty
    assert "Not looked for" in found.note


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=200),
    folds=st.integers(2, 5),
)
def test_groups_are_dealt_whole_and_those_of_each_class_evenly(rows, folds):
    # A group is of one class here: the fold of a group with several goes by its first picture.
    labels = np.array([label for label, _ in rows])
    groups = np.array([f"{label}-{number}" for label, number in rows])
    found = pd.DataFrame(
        {"label": labels, "group": groups, "fold": label_errors.dealt(labels, groups, folds)}
    )
    assert found["fold"].between(0, folds - 1).all()
    assert found.groupby("group")["fold"].nunique().eq(1).all()
    once = found.drop_duplicates("group")
    for _, of_class in once.groupby("label"):
        counts = np.bincount(of_class["fold"], minlength=folds)
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("many", [100, 1000])
def test_wrong_labels_are_found_however_groups_are_dealt_and_no_others(clouds, monkeypatch, many):
    table, features, _ = clouds
    monkeypatch.setattr(label_errors, "MANY", many)
    monkeypatch.setattr(label_errors, "MOST_FITTED", many - 20)
    monkeypatch.setattr(label_errors, "JUDGED_AT_A_TIME", 7)
    found = label_errors.find(table, lambda rows: features[rows], SHAPE, CLASSES).candidates
    assert set(found["image"]) <= {f"{number}.jpg" for number in WRONG}
    assert len(found) >= 3


def test_models_are_fitted_on_some_of_many_and_of_small_classes_on_all(monkeypatch):
    monkeypatch.setattr(label_errors, "MOST_FITTED", 1000)
    labels = np.repeat([0, 1, 2], [6000, 3960, 40])
    rows = np.arange(0, 10_000, 2)
    some = label_errors.some_of_each(rows, labels)
    assert np.bincount(labels[some]).tolist() == [600, 396, 20]
    assert np.all(np.diff(some) > 0)
    assert set(some) <= set(rows)
    assert label_errors.some_of_each(rows[:1000], labels).tolist() == rows[:1000].tolist()
