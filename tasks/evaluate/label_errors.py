"""Pictures whose label may be wrong: confident learning on cross-validated predictions.

Every picture is judged by a model that has not seen it: a logistic regression on pooled features,
near-duplicates always in one fold. cleanlab then estimates how many labels are wrong (Northcutt,
Jiang and Chuang, Confident Learning, JAIR 2021); those that are least likely are the candidates.
They are shown to people; nothing is removed.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.features import PIXELS, FeatureSpace, FeatureTable
from storage.references import FeaturesRef
from storage.workspace import Workspace
from tasks.clean.corrections import SETTLED

FOLDS = 5
ROWS_AT_A_TIME = 512
# Of more pictures than MANY, features are read when they are wanted, and models are fitted on some.
MANY, MOST_FITTED, FEWEST_FITTED, JUDGED_AT_A_TIME = 20_000, 30_000, 50, 4096
REGULARISATION = 0.01
ITERATIONS = 100
# Looser than scikit-learn's own: the ranking stays the same, in a fifth of the time.
TOLERANCE = 1e-2


class Found(NamedTuple):
    """Candidates, most suspicious first, and a sentence on how they were found or why not.

    Columns: image, name, split, label, suggested, given_probability, suggested_probability.
    """

    candidates: pd.DataFrame
    note: str


@dataclass(frozen=True)
class Pooled:
    """Feature maps averaged over their places, read when they are asked for.

    `rows` gives (n, product of shape) for n positions; features without places stay as they are.
    """

    rows: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int, ...]

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """(len(positions), channels) float32."""
        found = np.empty((len(positions), self.shape[-1]), np.float32)
        for start in range(0, len(positions), ROWS_AT_A_TIME):
            some = slice(start, start + ROWS_AT_A_TIME)
            maps = self.rows(positions[some]).astype(np.float32)
            found[some] = maps.reshape(len(maps), -1, self.shape[-1]).mean(axis=1)
        return found


def out_of_sample(
    features: "np.ndarray | Pooled", labels: np.ndarray, groups: np.ndarray, *, folds: int = FOLDS
) -> np.ndarray:
    """(n, classes) probabilities, each row from a model fitted without that picture and its group.

    `features` give (n, channels) for n positions; `labels` are class numbers 0 to k - 1, each with
    pictures in at least `folds` groups. Of many pictures a model is fitted on some.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    out = np.zeros((len(labels), int(labels.max()) + 1))
    for others, judge in _parted(labels, groups, folds):
        fit = some_of_each(others, labels)
        model = make_pipeline(
            StandardScaler(copy=False),  # what is chosen by positions is a copy already
            LogisticRegression(C=REGULARISATION, max_iter=ITERATIONS, tol=TOLERANCE),
        )
        with warnings.catch_warnings():
            # A fit that would gain a little from more iterations ranks the same pictures.
            warnings.simplefilter("ignore")
            model.fit(features[fit], labels[fit])
        for start in range(0, len(judge), JUDGED_AT_A_TIME):
            some = judge[start : start + JUDGED_AT_A_TIME]
            out[np.ix_(some, model[-1].classes_)] = model.predict_proba(features[some])
    return out


def some_of_each(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """MOST_FITTED of these rows, as many of each class as its share, but of small ones more.

    (n,) positions, in order; about as many where there are many small classes.
    """
    if len(rows) <= MOST_FITTED:
        return rows
    drawn = np.random.default_rng(0).permutation(rows)
    of_drawn = labels[drawn]
    wanted = np.bincount(of_drawn) * (MOST_FITTED / len(rows))
    rank = pd.Series(of_drawn).groupby(of_drawn).cumcount().to_numpy()
    return np.sort(drawn[rank < np.maximum(wanted, FEWEST_FITTED)[of_drawn]])


def _parted(
    labels: np.ndarray, groups: np.ndarray, folds: int
) -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
    """Rows to fit on and rows to judge: every row once, groups whole, classes evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    if len(labels) <= MANY:
        yield from StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(
            labels, labels, groups
        )
        return
    fold = dealt(labels, groups, folds)
    for number in range(folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def dealt(labels: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    """(n,) fold of each row: groups are dealt out in turn, class by class, in a drawn order.

    scikit-learn weighs them one by one, which takes longer than all fits together.
    """
    codes, names = pd.factorize(groups)
    first = np.unique(codes, return_index=True)[1]
    shuffled = np.random.default_rng(0).permutation(len(names))
    order = shuffled[np.argsort(labels[first][shuffled], kind="stable")]
    of_group = np.empty(len(names), int)
    of_group[order] = np.arange(len(names)) % folds
    return of_group[codes]


def candidates(table: pd.DataFrame, probabilities: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """The rows of `table` (image, name, split, label) whose label is doubtful, worst first."""
    from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]

    numbers = {name: number for number, name in enumerate(classes)}
    labels = table["label"].map(numbers).to_numpy(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        order = find_label_issues(
            labels,
            probabilities,
            # How many is what confident learning estimates; which, those whose label is least
            # likely: on flipped labels far nearer to the truth (the benchmark label_errors).
            filter_by="low_self_confidence",
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
    best = probabilities.argmax(axis=1)
    # What a person has said of a label counts for more.
    said = table["corrected"] if "corrected" in table else pd.Series("", table.index)
    settled = said.isin(SETTLED).to_numpy()
    doubtful = np.array(
        [row for row in order if best[row] != labels[row] and not settled[row]], np.int64
    )
    found = table.iloc[doubtful][["image", "name", "split", "label"]].reset_index(drop=True)
    found["suggested"] = [classes[number] for number in best[doubtful]]
    found["given_probability"] = probabilities[doubtful, labels[doubtful]]
    found["suggested_probability"] = probabilities[doubtful, best[doubtful]]
    return found


def none() -> pd.DataFrame:
    """No candidates."""
    columns = ("image", "name", "split", "label", "suggested")
    return pd.DataFrame(columns=[*columns, "given_probability", "suggested_probability"])


def find(
    table: pd.DataFrame,
    rows: Callable[[np.ndarray], np.ndarray],
    shape: tuple[int, ...],
    classes: list[str],
) -> Found:
    """Label-error candidates among the placed pictures of a split.

    `table` has image, name, split, label and group; `rows` gives features by position in it.
    """
    smallest = int(table.groupby("label")["group"].nunique().min())
    if smallest < FOLDS:
        note = f"Not looked for: a class has {smallest} pictures apart from near-duplicates, "
        return Found(none(), note + f"cross-validation needs {FOLDS}.")
    numbers = {name: number for number, name in enumerate(classes)}
    labels = table["label"].map(numbers).to_numpy()
    groups = table["group"].to_numpy()
    pooled = Pooled(rows, shape)
    few = len(table) <= MANY
    features = pooled[np.arange(len(table))] if few else pooled
    probabilities = out_of_sample(features, labels, groups)
    found = candidates(table, probabilities, classes)
    verb = "is" if len(found) == 1 else "are"
    right = float((probabilities.argmax(axis=1) == labels).mean())
    of_some = "" if few else f" on at most {MOST_FITTED:,} others"
    return Found(
        found,
        f"{len(found)} of {len(table)} labels {verb} doubtful. Every picture was judged by a "
        f"logistic regression on its features that had not seen it ({FOLDS} folds{of_some}, "
        f"{right:.1%} right); confident learning (Northcutt et al. 2021, cleanlab) says how many "
        "labels are wrong, and these are the least likely. Nothing was removed.",
    )


def among(
    workspace: Workspace, placed: pd.DataFrame, features: FeaturesRef, classes: list[str]
) -> Found:
    """Label-error candidates among the placed pictures of a split, with their features."""
    if FeatureSpace.load(workspace, features).backbone == PIXELS:
        return Found(
            none(),
            "Not looked for: a network trained from pictures has no "
            "pretrained features to judge labels by.",
        )
    known = FeatureTable.of(workspace, features, placed["image"].tolist())
    return find(placed, known.rows, features.shape, classes)
