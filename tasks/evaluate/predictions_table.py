"""The predictions table: one row per picture, for anyone who reads Parquet."""

import numpy as np
import pandas as pd

PROBABILITY = "probability_"


def predictions(
    images: pd.DataFrame, probabilities: np.ndarray, classes: tuple[str, ...]
) -> pd.DataFrame:
    """image, name, split, label, predicted, correct, probability (of the predicted class), and one
    column `probability_<class>` for each class.

    `images` are rows of the split's manifest, `probabilities` (n, classes) beside them.
    """
    predicted = probabilities.argmax(axis=1)
    columns = ["image", "name", "source", "split", "label", "width", "height", "group"]
    table = images[columns].reset_index(drop=True)
    table["predicted"] = [classes[number] for number in predicted]
    table["correct"] = table["predicted"] == table["label"]
    table["probability"] = probabilities.max(axis=1)
    columns = [f"{PROBABILITY}{name}" for name in classes]
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)
