"""Tables of usable images as `clean` leaves them, made from the sizes of their groups."""

import pandas as pd


def images(**sizes: list[int]) -> pd.DataFrame:
    """Per class the sizes of its groups: `images(cat=[1, 1, 2])` has four cats, two alike."""
    rows = [
        (f"{label}-{group}-{member}", label, f"{label}-{group}-0")
        for label, groups in sizes.items()
        for group, size in enumerate(groups)
        for member in range(size)
    ]
    return table(rows)


def linked(images: pd.DataFrame, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    """The table with pairs of its groups made one, by their positions (modulo their number)."""
    names = images["group"].unique()
    groups = images["group"]
    for pair in pairs:
        one, other = (groups[images["group"] == names[position % len(names)]] for position in pair)
        groups = groups.replace({other.iloc[0]: one.iloc[0]})
    return images.assign(group=groups)


def mixed(images: pd.DataFrame) -> pd.Series:
    """Whether each picture is of a group with pictures of several classes."""
    return images.groupby("group")["label"].transform("nunique") > 1


def table(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Rows of (image, label, group)."""
    found = pd.DataFrame(rows, columns=["image", "label", "group"])
    return found.assign(
        name=[f"{label}.{number}.jpg" for number, label in enumerate(found["label"])],
        source="here",
        bytes=100,
        width=40,
        height=30,
        copies=found["group"],
        split="",
        known_group="",
        time="",
    )


def shares(train: int, validation: int, test: int) -> dict[str, float]:
    """Fractions that sum to one, from whole weights."""
    weights = {"train": train, "validation": validation, "test": test}
    return {split: weight / sum(weights.values()) for split, weight in weights.items()}


def torn(images: pd.DataFrame, places: pd.Series) -> list[str]:
    """Groups with pictures in more than one split."""
    placed = images.assign(split=places)
    counts = placed[placed["split"] != ""].groupby("group")["split"].nunique()
    return counts[counts > 1].index.tolist()
