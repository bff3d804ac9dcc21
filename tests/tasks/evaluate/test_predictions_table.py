import numpy as np
import pandas as pd
import pytest

from tasks.evaluate import predictions_table


def rows_of(labels):
    count = len(labels)
    return pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(count)],
            "label": labels,
            "name": [f"{label}.{n}.jpg" for n, label in enumerate(labels)],
            "source": "here",
            "bytes": 9,
            "width": 40,
            "height": 30,
            "group": [f"{n}.jpg" for n in range(count)],
            "split": "test",
        },
        index=range(10, 10 + count),
    )


PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])


def test_one_row_per_picture_with_what_was_predicted_and_how_surely():
    table = predictions_table.predictions(rows_of(["a", "b", "b"]), PROBABILITIES, ("a", "b", "c"))
    assert list(table.columns) == [
        "image", "name", "source", "split", "label", "width", "height", "group",
        "predicted", "correct", "probability", "probability_a", "probability_b", "probability_c",
    ]  # fmt: skip
    assert table["image"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert table["predicted"].tolist() == ["a", "c", "b"]
    assert table["correct"].tolist() == [True, False, True]
    assert table["probability"].tolist() == [0.7, 0.6, 0.5]
    assert table[[f"probability_{name}" for name in "abc"]].to_numpy().tolist() == (
        PROBABILITIES.tolist()
    )
    assert table.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "classes",
    [
        ("<script>alert(1)</script>", "a|b*c", "a b"),
        ("Ünï", "日本", "🐈"),
        ("probability", "label", "correct"),
        ("1", "2", "nan"),
        ("", ".", "../x"),
    ],
)
def test_odd_class_names_come_back_from_parquet(classes, tmp_path):
    path = tmp_path / "predictions.parquet"
    table = predictions_table.predictions(rows_of(list(classes)), PROBABILITIES, classes)
    table.to_parquet(path, index=False)
    found = pd.read_parquet(path)
    assert found["label"].tolist() == list(classes)
    assert found["predicted"].tolist() == [classes[0], classes[2], classes[1]]
    for number, name in enumerate(classes):
        assert found[f"probability_{name}"].tolist() == PROBABILITIES[:, number].tolist()
