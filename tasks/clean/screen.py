"""From a collection's rows and the pictures' facts to usable images, each once, in groups."""

import numpy as np
import pandas as pd

from storage.errors import NoUsablePictures
from storage.shards import NAME
from storage.statuses import IGNORED, REJECTED, Status
from tasks.acquire.collection import COLUMNS, counted
from tasks.clean import duplicate_groups, known_groups
from tasks.clean.copies import describing
from tasks.clean.copies.describing import OTHER_COLOURS
from tasks.clean.copies.finding import OTHER
from tasks.clean.likeness import Likeness, thumbnails
from tasks.pictures.light import MEASURES

TEXTS = ("format", "taken", "camera", "remark")
# Two pictures that have this share of each other are the same but for an edge.
WHOLE = 0.7
MOST_TORN = 20


def screen(
    rows: pd.DataFrame,
    facts: pd.DataFrame,
    *,
    min_side: int,
    alike: Likeness,
    given: bool = False,
    burst_seconds: float | None = None,
) -> pd.DataFrame:
    """`rows` with final status, reason, size, time and group.

    Columns added: width, height, the measures of its light, format, remark (how a picture was
    read), copies (the digest of the first of the images that are the same, as `alike` has them),
    group (of those that must share a split: the copies, and what the user knows to belong
    together), copy_of, edit and aligned (an image that this one is a copy of, how in words, and the
    map between them as text); all '' for rows that are not kept. `time` is the table's, else
    EXIF's, else the file's. Rows keep their order. Where splits are `given`, a picture may stand in
    several of them; where copies are ignored, several times in each.
    """
    rows = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *COLUMNS])), fill_value="")
    table = rows.join(facts[["width", "height", *MEASURES, *TEXTS]], on="image")
    numbers = dict.fromkeys(("width", "height", *MEASURES), 0)
    table = table.fillna(numbers | dict.fromkeys(TEXTS, ""))
    table = table.astype({"width": int, "height": int})
    table["time"] = table["time"].where(table["time"] != "", table["taken"])
    table["time"] = table["time"].where(table["time"] != "", table["file_time"])
    table = _apply_facts(table, facts)
    table = _apply_size(table, min_side)
    table = _with_groups(table, alike)
    table = _set_aside_conflicts(table)
    same = _same_pictures(alike.pairs)
    table = _set_aside_likes_of_conflicts(table, facts, same)
    if not alike.ignored:
        table = _collapse_duplicates(table, ["image", "split"] if given else ["image"])
    table = _set_aside_torn_groups(table, facts, same)
    table = _with_names_of_groups(table)
    kept = _kept(table)
    table["copies"] = table["group"]
    table["group"] = known_groups.joined(table[kept], burst_seconds).reindex(
        table.index, fill_value=""
    )
    if alike.ignored:
        table = _each_apart(table)
    table = _with_edits(table, alike.pairs)
    return table.drop(columns=["taken", "file_time"])


def usable(rows: pd.DataFrame, facts: pd.DataFrame, min_side: int) -> list[str]:
    """The images, each once, that can be read and are large enough."""
    images = rows.loc[rows["status"] == Status.KEPT, "image"].unique()
    known = facts.loc[images]
    large = known[["width", "height"]].min(axis=1) >= min_side
    return list(known.index[large & (known["status"] == Status.KEPT)])


def require_classes(table: pd.DataFrame, *, all_of_them: bool = False) -> tuple[str, ...]:
    """The classes that have pictures, sorted.

    NoUsablePictures if there are fewer than two; with `all_of_them` also if all pictures of one
    were turned down.
    """
    kept = table[table["status"] == Status.KEPT]
    classes = tuple(sorted(kept["label"].unique()))
    if len(classes) < 2:
        raise NoUsablePictures(
            f"expected at least two classes with usable pictures, found {len(classes)} "
            f"({', '.join(map(repr, classes)) or 'none'}); all in all {counted(table)}. A "
            "classifier needs something to tell apart: check the labels, or what was turned down"
        )
    if all_of_them and (lost := lost_classes(table)):
        label = lost[0]
        rows = table[table["label"] == label]
        raise NoUsablePictures(
            f"class {label!r} has no usable picture: {counted(rows)}. Mend its pictures, or leave "
            "it out"
        )
    return classes


def lost_classes(table: pd.DataFrame) -> list[str]:
    """Classes all of whose pictures were turned down."""
    turned_down = table[table["status"].isin(REJECTED) & (table["label"] != "")]
    kept = set(table.loc[_kept(table), "label"])
    small = set(table.loc[table["status"] == Status.SMALL_CLASS, "label"])
    return sorted(set(turned_down["label"]) - kept - small)


def counts(table: pd.DataFrame) -> dict[str, int]:
    """How many rows were kept, rejected and ignored, and how many groups there are."""
    status = table["status"]
    return {
        "images": int((status == Status.KEPT).sum()),
        "rejected": int(status.isin(REJECTED).sum()),
        "ignored": int(status.isin(IGNORED).sum()),
        "groups": int(table.loc[status == Status.KEPT, "group"].nunique()),
    }


def _mark(
    table: pd.DataFrame, where: pd.Series, status: Status, reason: str | pd.Series
) -> pd.DataFrame:
    table = table.copy()
    table.loc[where, "status"] = str(status)
    table.loc[where, "reason"] = reason if isinstance(reason, str) else reason[where]
    return table


def _kept(table: pd.DataFrame) -> pd.Series:
    return table["status"] == Status.KEPT


def _apply_facts(table: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    status = table["image"].map(facts["status"])
    reason = table["image"].map(facts["reason"])
    broken = _kept(table) & (status != Status.KEPT)
    table = table.copy()
    table.loc[broken, "status"] = status[broken]
    table.loc[broken, "reason"] = reason[broken]
    return table


def _apply_size(table: pd.DataFrame, min_side: int) -> pd.DataFrame:
    small = _kept(table) & (table[["width", "height"]].min(axis=1) < min_side)
    size = table["width"].astype(str) + " x " + table["height"].astype(str)
    return _mark(table, small, Status.TOO_SMALL, size + f", less than {min_side} on a side")


def _set_aside_conflicts(table: pd.DataFrame) -> pd.DataFrame:
    torn = _labels_of_torn(table[_kept(table)], "image")
    where = _kept(table) & table["image"].isin(torn.index)
    reason = table["image"].map(torn.map(lambda names: "found as " + " and ".join(names)))
    return _mark(table, where, Status.LABEL_CONFLICT, reason)


def _labels_of_torn(kept: pd.DataFrame, by: str) -> pd.Series:
    """The labels, sorted, of each image or group that has more than one."""
    both = kept[[by, "label"]].drop_duplicates()
    torn = both[both.duplicated(by, keep=False)]
    return torn.groupby(by)["label"].agg(sorted)


def _set_aside_likes_of_conflicts(
    table: pd.DataFrame, facts: pd.DataFrame, edited: pd.DataFrame
) -> pd.DataFrame:
    """A picture under two labels, saved again under one of them, is no better than the original."""
    conflicts = table[table["status"] == Status.LABEL_CONFLICT].groupby("group")
    likes = table[_kept(table) & table["group"].isin(list(conflicts.groups))]
    originals = {}
    for group, rows in likes.groupby("group"):
        torn = conflicts.get_group(group).drop_duplicates("image")
        same = duplicate_groups.same_as_any(
            thumbnails(facts.loc[rows["image"]]), thumbnails(facts.loc[torn["image"]])
        )
        partners = edited.loc[edited[OTHER].isin(torn["image"]), NAME]
        same |= rows["image"].isin(partners).to_numpy()
        originals.update(dict.fromkeys(rows.index[same], torn["name"].iloc[0]))
    names = table.index.to_series().map(originals)
    reason = "nearly the same as " + names.astype(str) + ", which has two labels"
    return _mark(table, names.notna(), Status.LABEL_CONFLICT, reason)


def _collapse_duplicates(table: pd.DataFrame, same: list[str]) -> pd.DataFrame:
    kept = table[_kept(table)]
    repeated = kept.duplicated(same)
    first = kept.drop_duplicates("image").set_index("image")["name"]
    where = _kept(table) & repeated.reindex(table.index, fill_value=False)
    reason = table["image"].map(first.map("the same bytes as {}".format))
    return _mark(table, where, Status.DUPLICATE, reason)


def _with_groups(table: pd.DataFrame, alike: Likeness) -> pd.DataFrame:
    """Each usable image's group is called after one of its images."""
    images = table.loc[_kept(table), "image"]
    group = known_groups.first_of_group(images, images.map(alike.groups))
    return table.assign(group=group.reindex(table.index, fill_value=""))


def _with_names_of_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Groups are called after the first of the images that are left; those that went have none."""
    kept = table[_kept(table)]
    names = known_groups.first_of_group(kept["image"], kept["group"])
    return table.assign(group=names.reindex(table.index, fill_value=""))


def _set_aside_torn_groups(
    table: pd.DataFrame, facts: pd.DataFrame, edited: pd.DataFrame
) -> pd.DataFrame:
    """The same picture, saved again or edited under another label, is a conflict as well.

    Pictures that differ in colour only stay, in one group.
    """
    kept = table[_kept(table)]
    torn = _labels_of_torn(kept, "group")
    alike = [
        group
        for group, rows in kept[kept["group"].isin(torn.index)].groupby("group")
        if duplicate_groups.same_in_colour(
            thumbnails(facts.loc[rows["image"]]), rows["label"].to_numpy()
        )
    ]
    alike += _torn_pairs(kept, edited)
    torn = torn[torn.index.isin(alike)]
    where = _kept(table) & table["group"].isin(torn.index)
    reason = table["group"].map(torn.map(lambda names: "nearly the same as " + " and ".join(names)))
    return _mark(table, where, Status.LABEL_CONFLICT, reason)


def _same_pictures(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs, either way round, that show the same in the same colours, but for an edge.

    A detail of a picture may show what the label of the whole does not say.
    """
    whole = pairs[["first", "second"]].min(axis=1) >= WHOLE
    same = pairs[whole & (pairs["colours"] >= OTHER_COLOURS)][[NAME, OTHER]]
    return pd.concat([same, same.rename(columns={NAME: OTHER, OTHER: NAME})])


def _torn_pairs(kept: pd.DataFrame, edited: pd.DataFrame) -> list[str]:
    """Groups with a pair of edited copies under two labels; a long chain is no one picture."""
    labels = kept.drop_duplicates("image").set_index("image")
    both = edited[edited[NAME].isin(labels.index) & edited[OTHER].isin(labels.index)]
    one, other = (labels.loc[both[column], "label"].to_numpy() for column in (NAME, OTHER))
    torn = labels.loc[both[NAME], "group"][one != other]
    sizes = labels["group"].value_counts()
    return [group for group in torn if sizes[group] <= MOST_TORN]


def _each_apart(table: pd.DataFrame) -> pd.DataFrame:
    """The second and third time that the same bytes were found are groups of their own."""
    again = table[_kept(table)].groupby("image").cumcount()
    again = again[again > 0]
    groups = table.loc[again.index, "group"] + "-" + again.astype(str)
    return table.assign(group=groups.reindex(table.index).fillna(table["group"]))


def _with_edits(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Each copy beside the kept picture that it agrees with most; a group's first has no other."""
    kept = table[_kept(table)].drop_duplicates("image").set_index("image")
    found: dict[str, tuple[str, str, str]] = {}
    here = pairs[pairs[NAME].isin(kept.index) & pairs[OTHER].isin(kept.index)]
    groups = kept["copies"].to_dict()
    sizes = dict(zip(kept.index, zip(kept["width"], kept["height"], strict=True), strict=True))
    for pair in here.sort_values("correlation", ascending=False).itertuples(index=False):
        first, second = getattr(pair, NAME), getattr(pair, OTHER)
        said = describing.edit(pair, sizes[first], sizes[second])
        matrix = describing.matrix_of(pair)
        for copy, original, way in (
            (second, first, matrix),
            (first, second, np.linalg.inv(matrix)),
        ):
            if copy not in found and copy != groups[copy]:
                found[copy] = original, said, describing.as_text(way)
    rows = [found.get(image, ("", "", "")) for image in table["image"].where(_kept(table), "")]
    columns = pd.DataFrame(rows, columns=["copy_of", "edit", "aligned"], index=table.index)
    return pd.concat([table, columns], axis=1)
