"""Two models on the same test pictures: exact McNemar, and for other figures a bootstrap."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tasks.evaluate.metrics import METRICS, RESAMPLES, SEED
from tasks.evaluate.parameters import SIGNIFICANCE


class Paired(NamedTuple):
    """How two models did on the pictures that both were tested on."""

    pictures: int
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of McNemar's test (McNemar 1947, exact binomial form).

    The counts are pictures that only one of the two models got right; 1 where there are none.
    """
    from scipy.stats import binomtest

    total = only_first + only_second
    return float(binomtest(only_first, total, 0.5).pvalue) if total else 1.0


def by_labels_of(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """A predictions table judged by another one's labels, where a picture has one there.

    Labels that were corrected in between would else count against the model that came before.
    """
    labels = table["image"].map(other.drop_duplicates("image").set_index("image")["label"])
    differs = labels.notna() & (labels != table["label"])
    right = table["correct"].where(~differs, table["predicted"] == labels)
    return table.assign(label=labels.fillna(table["label"]), correct=right.astype(bool))


def paired(first: pd.DataFrame, second: pd.DataFrame) -> Paired | None:
    """Two predictions tables on the pictures that are test pictures in both; None without any.

    A picture that either model was trained on is never among them. Both are judged by the first's
    labels.
    """
    second = by_labels_of(second, first)
    tables = [table[table["split"] == "test"][["image", "correct"]] for table in (first, second)]
    joined = tables[0].merge(tables[1], on="image", suffixes=("_first", "_second"))
    if joined.empty:
        return None
    a, b = joined["correct_first"].astype(bool), joined["correct_second"].astype(bool)
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    return Paired(
        pictures=len(joined),
        both_right=int((a & b).sum()),
        only_first=only_first,
        only_second=only_second,
        both_wrong=int((~a & ~b).sum()),
        p_value=mcnemar(only_first, only_second),
    )


# A collection that has lost more than this share of its pictures has lost something.
LARGEST_LOSS = 0.1
OTHER_PICTURES = (
    "No class of the {} model is left: these are other pictures, and another experiment "
    "(--set experiment=NAME, or darkroom develop --name NAME)."
)


class Lost(NamedTuple):
    """What a model was made without that an earlier one had, and what it has beside that.

    `share` is of the earlier model's pictures, in whatever split; `all_classes` tells whether no
    class is left.
    """

    classes: tuple[str, ...]
    all_classes: bool
    share: float
    more_classes: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether this is more than what comes and goes."""
        return bool(self.classes) or self.share > LARGEST_LOSS

    def reasons(self, which: str) -> list[str]:
        """What was lost since `which` model, in sentences; none for what comes and goes."""
        if self.all_classes:
            return [OTHER_PICTURES.format(which)]
        found = []
        if len(self.classes) == 1:
            found.append(f"A class of the {which} model is gone: {self.classes[0]}.")
        elif self.classes:
            number = len(self.classes)
            found.append(f"{number} classes of the {which} model are gone: {_some(self.classes)}.")
        if self.share > LARGEST_LOSS:
            found.append(f"{self.share:.0%} of the pictures of the {which} model are gone.")
        return found

    @property
    def gained(self) -> str:
        """What classes came, in a sentence; "" where none did."""
        if self.all_classes or not self.more_classes:
            return ""
        one = len(self.more_classes) == 1
        which = "A class is new" if one else f"{len(self.more_classes)} classes are new"
        return f"{which}: {_some(self.more_classes)}."


def lost(candidate: pd.DataFrame, current: pd.DataFrame) -> Lost:
    """Of two predictions tables, what the first has no longer."""
    now, before = (set(map(str, one["label"].unique())) for one in (candidate, current))
    gone = ~current["image"].isin(candidate["image"])
    return Lost(
        tuple(sorted(before - now)),
        not now & before,
        float(gone.mean()) if len(gone) else 0.0,
        tuple(sorted(now - before)),
    )


def _some(names: tuple[str, ...], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


class Difference(NamedTuple):
    """How much higher a metric of the first model is than the second's, with its interval."""

    pictures: int
    mean: float
    low: float
    high: float

    @property
    def how(self) -> str:
        """`better`, `worse` or `no different`."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "no different"


def difference(
    first: pd.DataFrame, second: pd.DataFrame, headline: str, significance: float = SIGNIFICANCE
) -> Difference | None:
    """Of two predictions tables on the test pictures that both have; None without any.

    By bootstrap of the pictures, each with both answers (Efron 1979), of a metric that counts tell.
    """
    value = METRICS[headline].counts
    assert value is not None, headline
    tables = [table[table["split"] == "test"] for table in (first, second)]
    columns = ["image", "predicted"]
    joined = tables[0][["image", "label", "predicted"]].merge(
        tables[1][columns], on="image", suffixes=("", "_second")
    )
    if joined.empty:
        return None
    answers = joined[["label", "predicted", "predicted_second"]]
    names = pd.Index(np.unique(answers.to_numpy(str)))
    numbers = np.stack([names.get_indexer(answers[name]) for name in answers])
    cells, drawn_of = np.unique(numbers, axis=1, return_counts=True)
    truth, *said = np.eye(len(names))[cells]
    right = [truth * one for one in said]

    def gained(counts: np.ndarray) -> np.ndarray:
        values = [
            value(counts @ truth, counts @ one, counts @ hit)
            for one, hit in zip(said, right, strict=True)
        ]
        return values[0] - values[1]

    draw = np.random.default_rng(SEED)
    total = len(joined)
    drawn = draw.multinomial(total, drawn_of / total, size=RESAMPLES).astype(float)
    tails = 100 * significance / 2
    low, high = np.percentile(gained(drawn), [tails, 100 - tails])
    mean = float(gained(drawn_of[None].astype(float))[0])
    return Difference(total, mean, float(low), float(high))


def counted(pair: Paired, first: str, second: str) -> str:
    """One sentence with the counts and the p-value."""
    return (
        f"On the {pair.pictures} test pictures that both share, {first} alone is right on "
        f"{pair.only_first} and {second} alone on {pair.only_second}; both are right on "
        f"{pair.both_right}, both wrong on {pair.both_wrong} "
        f"(exact McNemar p = {pair.p_value:.2g})."
    )


def judged(pair: Paired, significance: float = SIGNIFICANCE) -> str:
    """`better`, `worse` or `no different`: the first model against the second."""
    if pair.p_value >= significance:
        return "no different"
    return "better" if pair.only_first > pair.only_second else "worse"
