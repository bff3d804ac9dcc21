"""The top of the page: what was done, how well, and against what."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from storage.features import computed_in
from storage.references import SPLITS
from storage.statuses import Status
from tasks.evaluate.comparing import by_labels_of, counted, judged, lost, paired
from tasks.evaluate.metrics import METRICS, largest_class, of_classes, of_one_answer
from tasks.publish.inputs import TEST, VALIDATION, ReportInputs
from tasks.publish.page.charts import Interval
from tasks.publish.parameters import PublishedFigure
from tasks.publish.wording import as_words, percent, seconds

MOST_NAMED = 6
# One class has more than this many times the pictures of another.
UNEVEN = 5
FEW_PICTURES = 10


class Verdict(NamedTuple):
    """One comparison; `tone` is good, bad or neutral."""

    title: str
    text: str
    tone: str


def sentence(inputs: ReportInputs) -> str:
    """The experiment in one sentence."""
    names = inputs.classes
    named = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    counts = inputs.split["split"].value_counts()
    shares = ", ".join(
        f"{counts[name]:,} for {what}"
        for name, what in (("train", "training"), ("validation", "validation"), ("test", "test"))
        if name in counts
    )
    return f"{len(names)} classes ({named}) told apart by {_network(inputs)}; pictures: {shares}."


def _network(inputs: ReportInputs) -> str:
    space = inputs.training.get("space")
    if not space:
        return "a network"
    part = inputs.training["part"]
    backbone, size = space["backbone"], f"{space['image_size']} pixels"
    if part["kind"] == "Network":
        return f"{part['name']} from scratch on pictures of {size} ({part['precision']})"
    how = f"({space['preprocessing']} preprocessing, {computed_in(space)})"
    if part["kind"] == "FineTuning":
        return f"{backbone} at {size}, tuned above {space['layer']}, with a dense head {how}"
    return f"a {part.get('head', 'dense')} head on {backbone} features at {size} {how}"


def chosen(inputs: ReportInputs) -> str:
    """Which epoch and which repeat the page is about, and which pictures decided that."""
    if facts := _of_choosing(inputs):
        return facts
    lowest = f"with the lowest {VALIDATION if VALIDATION in inputs.metrics else 'training'} loss"
    last = inputs.training.get("keep", "best") == "last"
    text = f"The weights are those of {'the last epoch' if last else f'the epoch {lowest}'}"
    text += "; test pictures played no part." if TEST in inputs.metrics else "."
    if len(inputs.headline["accuracy"]["repeats"]) > 1:
        titles = [one.title for one in of_classes(len(inputs.classes)).values()]
        text += (
            f" {', '.join(titles)} are means over seeds, and the "
            "intervals hold the spread of the seeds too; everything below is about the published "
            f"seed, the one {lowest}."
        )
    return text


def _of_choosing(inputs: ReportInputs) -> str:
    """How a head was chosen; "" for one that was not."""
    facts = inputs.training.get("facts", {})
    if "candidates" not in facts:
        return ""
    text = (
        f"The head is linear: {facts['chosen']}, the best of {facts['candidates']} by log loss on "
        f"{facts['judged_by']:,} pictures that they had not learned from"
    )
    text += "; test pictures played no part." if TEST in inputs.metrics else "."
    if facts["refitted"]:
        text += (
            " In the end it was fitted on validation pictures too; what is said of those is what "
            "it said before."
        )
    return text


def verdicts(inputs: ReportInputs) -> list[Verdict]:
    """Against the published figure, where there is one, and against the run before.

    Where pictures that belong together lie in several splits, that comes first.
    """
    found = [] if not (number := crossing(inputs.split)) else [_of_crossing(number)]
    found += _of_shortcuts(inputs)
    found += _of_largest_class(inputs)
    if inputs.figure is not None:
        found.append(_against_figure(inputs, inputs.figure))
    found += _of_loss(inputs)
    found += _of_corrections(inputs)
    return [*found, _against_previous(inputs), *_of_few_pictures(inputs)]


def _of_corrections(inputs: ReportInputs) -> list[Verdict]:
    """What people corrected, and what is right on test pictures with labels as before and as now.

    The same of the run that this one is compared with, on the pictures that both have.
    """
    split = inputs.split
    if "corrected" not in split:
        return []
    kept = split[split["corrected"] != ""].drop_duplicates("image")
    changed = int((kept["label"] != kept["label_was"]).sum())
    out = int((inputs.rows["status"] == Status.THROWN_OUT).sum())
    counts = (
        f"Labels changed by people: {changed:,}; looked at and left: {len(kept) - changed:,}; "
        f"pictures thrown out: {out:,}."
    )
    lines = [counts, _before_and_now(inputs.shown_predictions(), kept, "This model")]
    if inputs.previous is not None:
        table = inputs.previous.predictions
        shared = table[table["image"].isin(inputs.shown_predictions()["image"])]
        lines.append(_before_and_now(shared, kept, f"The run of {inputs.previous.when[:10]}"))
    return [Verdict("Corrections", " ".join(filter(None, lines)), "neutral")]


def _before_and_now(table: pd.DataFrame, corrected: pd.DataFrame, who: str) -> str:
    """How often a model is right on these pictures by the labels before, and by those now."""
    if table.empty:
        return ""
    both = corrected.assign(label=corrected["label_was"]), corrected
    right = [percent(float(by_labels_of(table, labels)["correct"].mean())) for labels in both]
    return (
        f"{who} is right on {right[0]} of {len(table):,} pictures by the labels as they were, on "
        f"{right[1]} as corrected."
    )


def _of_loss(inputs: ReportInputs) -> list[Verdict]:
    """What the published model was made from and this one was not."""
    if inputs.previous is None or not inputs.previous.published:
        return []
    found = lost(inputs.predictions, inputs.previous.predictions)
    if found.any:
        return [Verdict("Something is missing", " ".join(found.reasons("published")), "bad")]
    return [Verdict("Classes", found.gained, "neutral")] if found.gained else []


def crossing(split: pd.DataFrame) -> int:
    """How many groups lie in more than one split: 0 but for splits that were given."""
    placed = split[split["split"].isin(SPLITS)]
    return int((placed.groupby("group")["split"].nunique() > 1).sum())


def _of_crossing(number: int) -> Verdict:
    groups = "1 group" if number == 1 else f"{number:,} groups"
    text = (
        f"{groups} of pictures that belong together, as copies or as you said, lie in more than "
        "one of the given splits. The figure flatters."
    )
    return Verdict("Not tested on new pictures alone", text, "bad")


def one_answer(inputs: ReportInputs) -> tuple[str, float]:
    """The class with most shown pictures, and what always saying one class would reach."""
    number, _, _ = largest_class(inputs.headline["confusion"])
    return inputs.classes[number], of_one_answer(inputs.headline["confusion"], inputs.leading)


def whose(inputs: ReportInputs) -> str:
    """Whose figure leads, where there are several seeds; "" for one."""
    figure = inputs.figure_shown
    if len(figure["repeats"]) == 1:
        return ""
    return (
        f"mean of {len(figure['repeats'])} seeds; the published one: {percent(figure['published'])}"
    )


def _of_largest_class(inputs: ReportInputs) -> list[Verdict]:
    """Where accuracy says little: the model is no better than one answer, or classes are uneven."""
    name, reached = one_answer(inputs)
    share = largest_class(inputs.headline["confusion"])[2]
    if inputs.figure_shown["published"] <= reached:
        text = f"Always answering {name} would be right on {share:.1%} of these pictures."
        return [Verdict("No better than one answer", text, "bad")]
    table = inputs.split
    trained = table[table["split"] == "train"]["label"].value_counts()
    if len(trained) < 2 or trained.max() <= UNEVEN * trained.min():
        return []
    text = (
        f"{trained.max():,} pictures of {trained.idxmax()} to train on, {trained.min():,} of "
        f"{trained.idxmin()}; always answering {name} would be right on {share:.1%}"
    )
    told = [
        word
        for word, is_told in (
            ("evaluate.headline=balanced_accuracy lets all classes count alike in the figure above",
             inputs.leading != "accuracy"),
            ("training.class_weights=balanced in training", _weighs_classes(inputs.parameters)),
        )
        if not is_told
    ]  # fmt: skip
    text += f". {', '.join(told)}" if told else ""
    return [Verdict("Uneven classes", f"{text}.", "neutral")]


def _weighs_classes(parameters: Mapping[str, Any]) -> bool:
    training = parameters.get("training", {})
    return "balanced" in (training.get("class_weights"), training.get("sampling"))


def _of_shortcuts(inputs: ReportInputs) -> list[Verdict]:
    """What tells classes apart without a look at what pictures show."""
    return [
        Verdict(
            "A shortcut?",
            f"{one.kind.capitalize()} alone, by facts about the files, tells the classes apart: "
            f"{one.balanced_accuracy:.1%} of unseen pictures, each class counted alike, where "
            f"chance is {one.chance:.1%}. The model may have learned that, and fail on pictures "
            "made in another way. Save all classes in one way, or take them from the same source.",
            "bad",
        )
        for one in inputs.diagnosis.shortcuts
        if one.flagged
    ]


def _of_few_pictures(inputs: ReportInputs) -> list[Verdict]:
    few = [
        name for name, one in inputs.headline["per_class"].items() if one["support"] < FEW_PICTURES
    ]
    if not few:
        return []
    named = ", ".join(few[:MOST_NAMED]) + (", …" if len(few) > MOST_NAMED else "")
    text = (
        f"{len(few)} of {len(inputs.classes)} classes have fewer than {FEW_PICTURES} "
        f"{inputs.shown} pictures ({named}): what is said of each of them alone is uncertain."
    )
    return [Verdict("Few pictures to judge by", text, "neutral")]


def _against_figure(inputs: ReportInputs, figure: PublishedFigure) -> Verdict:
    title = "Published figure"
    if figure.split not in inputs.metrics:
        text = f"The published figure is of {figure.split} pictures, and there are none."
        return Verdict(title, text, "neutral")
    accuracy = inputs.metrics[figure.split]["accuracy"]
    tone = "neutral"
    if accuracy["low"] > figure.accuracy:
        tone = "good"
    elif accuracy["high"] < figure.accuracy:
        tone = "bad"
    text = f"On {figure.split} pictures. {verdict(figure, accuracy)}"
    return Verdict(title, f"{text} Source: {figure.source}." if figure.source else text, tone)


def _against_previous(inputs: ReportInputs) -> Verdict:
    previous = inputs.previous
    if previous is None:
        return Verdict("Run before", "There is no earlier model to compare with.", "neutral")
    title = "Published model" if previous.published else "Run before"
    name = f"the run of {previous.when[:10]}"
    pair = paired(inputs.predictions, previous.predictions)
    if pair is None:
        text = f"No test picture is shared with {name}: the two cannot be compared."
        return Verdict(title, text, "neutral")
    how = judged(pair)
    beginning = {
        "better": "Significantly better.",
        "worse": "Significantly worse.",
        "no different": "Not significantly different.",
    }[how]
    tone = {"better": "good", "worse": "bad", "no different": "neutral"}[how]
    text = f"{beginning} {counted(pair, 'this model', name)}"
    return Verdict(title, f"{text} Compared with {previous.run}.", tone)


def facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Date, duration, share of the cache, seeds: what is known of them."""
    found = [("Made", f"{inputs.when[:10]} {inputs.when[11:16]} UTC"), ("Run", inputs.run)]
    if inputs.seconds is not None:
        found.append(("Steps before this page", seconds(inputs.seconds)))
    if inputs.steps:
        cached = sum(step.state == "cached" for step in inputs.steps)
        found.append(("From the cache", f"{cached} of {len(inputs.steps)} steps"))
    if inputs.previous is not None:
        since = "the published model" if inputs.previous.published else "the run before"
        found.append((f"Since {since}", came_and_went(inputs)))
    seeds = inputs.training.get("seeds", [])
    if len(seeds) > 1:
        deviation = inputs.figure_shown["deviation"]
        title = as_words(METRICS[inputs.leading].title)
        found.append(
            (
                "Seeds",
                f"{len(seeds)}; {title} is their mean, deviation {100 * deviation:.2f} points",
            )
        )
    return found


def came_and_went(inputs: ReportInputs) -> str:
    """How many pictures are new since the run that this one is compared with, and how many gone."""
    assert inputs.previous is not None
    now, before = (set(one["image"]) for one in (inputs.predictions, inputs.previous.predictions))
    return f"{len(now - before):,} pictures came, {len(before - now):,} went"


def split_intervals(inputs: ReportInputs) -> list[Interval]:
    """Each split's leading figure with its interval, as evaluated."""
    found = []
    for name in inputs.splits:
        figure = inputs.metrics[name][inputs.leading]
        numbers = figure["mean"], figure["low"], figure["high"]
        found.append(Interval(name, *numbers, inputs.metrics[name]["images"]))
    return found


def verdict(figure: PublishedFigure | None, accuracy: dict[str, float] | None) -> str:
    """One sentence that compares our accuracy (mean, low, high) with the published figure."""
    if figure is None or accuracy is None:
        return "No figure is published for this experiment."
    ours = f"{accuracy['mean']:.1%} ({accuracy['low']:.1%} to {accuracy['high']:.1%})"
    theirs = f"{figure.accuracy:.1%}"
    if accuracy["low"] > figure.accuracy:
        return f"Better than published: {ours} against {theirs}; the interval lies above it."
    if accuracy["high"] < figure.accuracy:
        return f"Below what is published: {ours} against {theirs}; the interval lies below it."
    return f"As published: {ours}; the interval holds {theirs}."
