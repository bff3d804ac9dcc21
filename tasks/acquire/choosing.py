"""Classes and groups as the user wants them: chosen, left out, merged; names alike are told."""

import re
import unicodedata
from collections import defaultdict

import pandas as pd

from storage.errors import SourceError
from storage.names import one_line
from storage.statuses import Status
from tasks.acquire.layout.columns import shown
from tasks.acquire.parameters import SourceParameters

LONGEST_LABEL = 200
MOST_TOLD = 5


def chosen(table: pd.DataFrame, source: SourceParameters) -> tuple[pd.DataFrame, list[str]]:
    """The table with its final labels and known groups, and what is to be said of them.

    SourceError for a class in source.classes that is not there, and for a group_pattern that no
    name matches.
    """
    table = table.copy()
    table["label"] = table["label"].map(_tidied(table["label"]))
    there = set(table["label"]) - {""}
    merged = {old: new for new, olds in source.merge.items() for old in olds}
    remarks = [
        f"source.merge names {old!r}, which is no class here" for old in merged if old not in there
    ]
    table["label"] = table["label"].replace(merged)
    table = _without_others(table, source, remarks)
    remarks += _alike(table.loc[table["status"] == Status.KEPT, "label"])
    if source.group_pattern is not None:
        table = _with_groups(table, source.group_pattern)
    return table, remarks


def _tidied(labels: pd.Series) -> dict[str, str]:
    """Labels without blanks around them, in composed Unicode and of bounded length.

    Those that would become one are left as they were written: whether they are one is not for us to
    say.
    """
    forms: dict[str, list[str]] = defaultdict(list)
    for label in labels.unique():
        forms[unicodedata.normalize("NFC", label).strip()[:LONGEST_LABEL].rstrip()].append(label)
    return {
        label: tidy if len(olds) == 1 or not tidy else label[:LONGEST_LABEL]
        for tidy, olds in forms.items()
        for label in olds
    }


def _without_others(
    table: pd.DataFrame, source: SourceParameters, remarks: list[str]
) -> pd.DataFrame:
    there = sorted(set(table["label"]) - {""})
    unknown = [name for name in source.classes if name not in there]
    if unknown:
        raise SourceError(
            f"source.classes names {shown(unknown)}, found {shown(there) or 'no classes'}: name "
            "classes that are there"
        )
    remarks += [
        f"source.exclude names {name!r}, which is no class here"
        for name in source.exclude
        if name not in there
    ]
    others = table["label"].isin(source.exclude) | (
        (table["label"] != "") & ~table["label"].isin(source.classes or there)
    )
    others &= table["status"] == Status.KEPT
    reason = "source.classes or source.exclude leaves its class out"
    table.loc[others, ["status", "reason"]] = [str(Status.NOT_CHOSEN), reason]
    return table


def _alike(labels: pd.Series) -> list[str]:
    """Which classes differ in case, blanks or Unicode form alone, and how they become one."""
    forms: dict[str, list[str]] = defaultdict(list)
    counts = labels.value_counts()
    for label in sorted(counts.index):
        flat = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        forms[flat].append(label)
    remarks = []
    for same in [labels for labels in forms.values() if len(labels) > 1][:MOST_TOLD]:
        most = max(same, key=lambda label: (counts[label], label == label.strip()))
        others = ", ".join(f'"{one_line(label)}"' for label in same if label != most)
        pictures = " and ".join(f"{one_line(label)!r} ({counts[label]})" for label in same)
        remarks.append(
            f"{pictures} differ in case, blanks or Unicode form alone and are different classes: "
            f"--set 'source.merge={{\"{one_line(most.strip())}\": [{others}]}}' makes them one"
        )
    return remarks


def _with_groups(table: pd.DataFrame, pattern: str) -> pd.DataFrame:
    matcher = re.compile(pattern)

    def group(name: str) -> str:
        match = matcher.search(name[:1000])
        return (match["group"] or "") if match else ""

    found = table["name"].map(group)
    pictures = table["status"] == Status.KEPT
    if not (found[pictures] != "").any():
        raise SourceError(
            f"source.group_pattern matches no name: {shown(list(table.loc[pictures, 'name'][:3]))}"
        )
    known = table["known_group"].where(table["known_group"] != "", found)
    return table.assign(known_group=known)
