"""One place that turns a rule into an assignment."""

from typing import TYPE_CHECKING

from storage.errors import ParameterError
from tasks.split import by_fractions, in_order
from tasks.split.parameters import Counts, Fractions, Rule

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["image", "label", "name", "source", "bytes", "width", "height", "group"]


def assign(
    images: "pd.DataFrame",
    rule: Rule,
    amounts: Counts | Fractions,
    seed: int,
    earlier: dict[str, str],
) -> "pd.DataFrame":
    """COLUMNS of `images`, and `split`: train, validation, test, or '' for those left out."""
    if rule == "in_order":
        if not isinstance(amounts, Counts):
            raise ParameterError("split.rule in_order takes split.counts, found split.fractions")
        places = in_order.assign(images, amounts.numbers())
    else:
        if not isinstance(amounts, Fractions):
            raise ParameterError(f"split.rule {rule} takes split.fractions, found split.counts")
        kept = earlier if rule == "sticky" else {}
        places = by_fractions.assign(images, amounts.shares(), seed, kept)
    return images[COLUMNS].assign(split=places)
