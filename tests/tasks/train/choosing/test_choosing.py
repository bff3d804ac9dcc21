"""A head that is chosen: by pictures it did not see, and what is kept computes what was judged."""

import numpy as np
import pytest

from storage.errors import ParameterError
from tasks.train.batches import Labelled
from tasks.train.choosing import chosen, forms, judging
from tasks.train.choosing.linear import Discriminants, Learned, Scale, Softmaxes
from tasks.train.choosing.logits import softmax
from tasks.train.parameters import Training

SHAPE = (2, 3, 8)
TRAINING = Training(calibration="temperature")


def labelled(count, classes, *, shape=SHAPE, seed=0, told=1.0, views=1, groups=None):
    """Maps that tell their class as much as `told` says; views differ a little."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = np.random.default_rng(99).uniform(0, 2, (classes, int(np.prod(shape))))
    one = told * centres[labels] + draw.uniform(0, 1, (count, centres.shape[1]))
    every = [one + 0.01 * view for view in range(views)]
    values = np.concatenate(every).astype(np.float16)
    groups = np.arange(count) + 1000 * seed if groups is None else groups
    return Labelled(lambda positions: values[positions], labels, views, groups)


def all_equal(count, classes):
    ones = np.ones((count, int(np.prod(SHAPE))), np.float16)
    return labelled(count, classes)._replace(rows=lambda positions: ones[positions])


def choose(train, validation, classes, shape=SHAPE, training=TRAINING):
    return chosen.choose(
        train, validation, shape=shape, classes=classes, training=training, show=lambda _: None
    )


def said(fitted, data, shape=SHAPE):
    rows = data.rows(np.arange(len(data.labels))).reshape(-1, *shape)
    out = np.asarray(fitted.model(rows, training=False), np.float64)
    return np.hstack([1 - out, out]) if out.shape[1] == 1 else out


@pytest.mark.parametrize("method", [Discriminants, Softmaxes])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("number", range(4))
def test_every_form_is_the_same_in_numpy_and_as_layers(classes, number, method):
    data = labelled(40, classes)
    arrays = forms.pooled(data, SHAPE)
    form = forms.forms(arrays)[number]
    values = form.array(arrays)
    scale = Scale.of(values)
    scaled = scale.applied(values)
    plain = method(Learned.of(scaled, data.labels, classes, balanced=False)).at(0.3)
    found = scale.folded(plain)
    assert found.logits(values) == pytest.approx(plain.logits(scaled), abs=2e-2)
    kept = said(_Kept(chosen._model(form, found, SHAPE, classes)), data)
    assert kept == pytest.approx(softmax(found.logits(values)), abs=1e-3)


@pytest.mark.parametrize("number", range(2))
def test_averages_that_were_joined_are_taken_as_they_are(number):
    data = labelled(40, 3, shape=(8,))
    arrays = forms.pooled(data, (8,))
    form = forms.forms(arrays)[number]
    values = form.array(arrays)
    scale = Scale.of(values)
    learned = Learned.of(scale.applied(values), data.labels, 3, balanced=False)
    found = scale.folded(Discriminants(learned).at(0.3))
    kept = said(_Kept(chosen._model(form, found, (8,), 3)), data, (8,))
    assert kept == pytest.approx(softmax(found.logits(values)), abs=1e-3)


def test_softmaxes_and_discriminants_are_scikit_learns():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression

    data = labelled(90, 3, told=0.4)
    values = Scale.of(data.rows(np.arange(90)).astype(np.float32)).applied(
        data.rows(np.arange(90)).astype(np.float32)
    )
    learned = Learned.of(values, data.labels, 3, balanced=False)
    theirs = LogisticRegression(C=1 / (90 * 0.1), tol=1e-8, max_iter=1000).fit(values, data.labels)
    ours = softmax(Softmaxes(learned).at(0.1).logits(values))
    assert ours == pytest.approx(theirs.predict_proba(values), abs=5e-3)
    own = LinearDiscriminantAnalysis(solver="lsqr").fit(values[:, :10], data.labels)
    learned = Learned.of(values[:, :10], data.labels, 3, balanced=False)
    ours = softmax(Discriminants(learned).at(1e-6).logits(values[:, :10]))
    assert ours == pytest.approx(own.predict_proba(values[:, :10]), abs=5e-3)


def test_fewer_pictures_than_features_give_the_same_by_another_way():
    data = labelled(30, 3)
    values = Scale.of(data.rows(np.arange(30)).astype(np.float32)).applied(
        data.rows(np.arange(30)).astype(np.float32)
    )
    learned = Learned.of(values, data.labels, 3, balanced=False)
    twice = Learned.of(np.tile(values, (2, 1)), np.tile(data.labels, 2), 3, balanced=False)
    for strength in (0.1, 1.0, 10.0):
        short, long = (Discriminants(one).at(strength) for one in (learned, twice))
        assert short.logits(values) == pytest.approx(long.logits(values), rel=1e-2, abs=1e-2)


class _Kept:
    def __init__(self, model):
        self.model = model


def test_the_forms_that_are_tried_are_those_that_can_be_made():
    names = [form.name for form in forms.forms(forms.pooled(labelled(9, 3), SHAPE))]
    assert names == ["averages", "averages and maxima", "roots of averages", "all places"]
    joined = forms.pooled(labelled(9, 3, shape=(8,)), (8,))
    assert [one.name for one in forms.forms(joined)] == ["averages", "roots of averages"]
    negative = {"average": np.full((3, 4), -1.0)}
    assert [one.name for one in forms.forms(negative)] == ["averages"]
    one_place = forms.pooled(labelled(9, 3, shape=(1, 1, 8)), (1, 1, 8))
    assert "averages and maxima" not in [one.name for one in forms.forms(one_place)]


def test_many_validation_pictures_judge_alone_and_few_take_turns():
    def parts(count, groups=None):
        train = labelled(100, 4, groups=groups)
        rows = judging.rows(train, labelled(count, 4, seed=1), lambda one: forms.pooled(one, SHAPE))
        return rows, judging.parts(rows)

    rows, (only,) = parts(judging.ENOUGH)
    assert (list(only.fit), list(only.judge)) == (list(range(100)), list(range(100, rows.pictures)))
    rows, several = parts(30, groups=np.arange(100) // 5)
    assert sorted(np.concatenate([one.judge for one in several])) == list(range(130))
    for one in several:
        assert not {*rows.groups[one.fit]} & {*rows.groups[one.judge]}


def test_changed_views_follow_their_picture_and_judge_nothing():
    train, validation = labelled(20, 2, views=3), labelled(10, 2, seed=1)
    rows = judging.rows(train, validation, lambda data: forms.pooled(data, SHAPE))
    assert len(rows.labels) == 20 * 3 + 10
    here = rows.of(np.array([3, 25]))
    assert list(rows.picture[here]) == [3, 25, 3, 3]
    assert len({*rows.labels[here[rows.picture[here] == 3]]}) == 1
    first, third = (rows.arrays["average"][here[k]] for k in (0, 3))
    assert third == pytest.approx(first + 0.02, abs=0.01)


@pytest.mark.parametrize("classes", [2, 6])
@pytest.mark.parametrize("held_out", [0, 24, 300])
def test_what_tells_classes_apart_is_learned(classes, held_out):
    train, validation = labelled(120, classes), labelled(held_out, classes, seed=1)
    fitted = choose(train, validation, classes)
    unseen = labelled(60, classes, seed=2)
    assert (said(fitted, unseen).argmax(axis=1) == unseen.labels).mean() > 0.9
    assert sum(one.chosen for one in fitted.tried) == 1
    best = next(one for one in fitted.tried if one.chosen)
    assert best.log_loss == min(one.log_loss for one in fitted.tried)
    assert best.low <= best.log_loss <= best.high
    assert fitted.facts["refitted"] == (held_out > 0)
    assert (fitted.unseen is None) == (held_out == 0)


def test_what_is_said_of_validation_is_from_before_it_was_learned():
    draw = np.random.default_rng(5)
    train, validation = labelled(200, 2, told=0), labelled(100, 2, seed=1, told=0)
    guessed = validation._replace(labels=draw.integers(0, 2, 100))
    fitted = choose(train, guessed, 2)
    right = (fitted.unseen.argmax(axis=1) == guessed.labels).mean()
    assert 0.35 < right < 0.65
    assert fitted.history[0]["val_accuracy"] < 0.65


def test_where_nothing_can_judge_validation_stays_unseen():
    train, validation = labelled(3, 3), labelled(3, 3, seed=0)
    fitted = choose(train, validation._replace(groups=train.groups), 3)
    assert not fitted.facts["refitted"]
    assert fitted.unseen is None
    assert fitted.tried == ()


def test_without_refit_the_head_has_not_seen_validation():
    train, validation = labelled(60, 3), labelled(300, 3, seed=1)
    fitted = choose(train, validation, 3, training=Training(refit=False))
    assert fitted.unseen is None
    best = next(one for one in fitted.tried if one.chosen)
    right = (said(fitted, validation).argmax(axis=1) == validation.labels).mean()
    assert right == pytest.approx(best.accuracy, abs=0.01)


@pytest.mark.parametrize(
    "make",
    [
        lambda: (labelled(4, 2), labelled(0, 2)),
        lambda: (labelled(3, 3), labelled(0, 3)),
        lambda: (labelled(40, 4), labelled(1, 4)),
        lambda: (labelled(40, 4), labelled(320, 2, seed=1)),
        lambda: (labelled(40, 2), labelled(4, 4, seed=1)),
        lambda: (all_equal(12, 4), labelled(0, 4)),
    ],
)  # fmt: skip
def test_too_little_to_learn_from_is_no_error(make):
    train, validation = make()
    fitted = choose(train, validation, 4 if train.labels.max() != 2 else 3)
    out = said(fitted, train)
    assert np.isfinite(out).all()
    assert out.sum(axis=1) == pytest.approx(1)


def test_one_class_alone_has_most_of_the_probability():
    data = labelled(10, 1)
    assert said(choose(data, labelled(0, 1), 2), data)[:, 0].min() > 0.99


def test_balanced_classes_count_alike():
    def drawn(seed, counts):
        draw = np.random.default_rng(seed)
        labels = np.repeat([0, 1], counts)
        values = draw.normal(0.4 * labels[:, None], 1.0, (len(labels), 48)).astype(np.float16)
        return Labelled(lambda at: values[at], labels, 1, np.arange(len(labels)))

    data, new = drawn(3, (500, 25)), drawn(4, (300, 300))
    recalls = []
    for training in (Training(), Training(class_weights="balanced"), Training(sampling="balanced")):
        fitted = choose(data, labelled(0, 2), 2, training=training)
        right = said(fitted, new).argmax(axis=1) == new.labels
        recalls.append([right[:300].mean(), right[300:].mean()])
    plain, balanced, drawn_alike = np.mean(recalls, axis=1)
    assert balanced > plain + 0.1
    assert recalls[0][1] + 0.2 < recalls[1][1]
    assert drawn_alike == balanced


def test_two_ways_to_make_classes_count_alike_are_one_too_many():
    with pytest.raises(ValueError, match="take one"):
        Training(class_weights="balanced", sampling="balanced")


def test_what_does_not_fit_in_memory_says_what_to_do(monkeypatch):
    monkeypatch.setattr(forms.batches, "memory_bytes", lambda: 1000)
    with pytest.raises(ParameterError, match=r"model.head.kind=dense"):
        choose(labelled(20, 2), labelled(0, 2), 2)
