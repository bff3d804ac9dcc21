"""The card of a published model: what it is, how well it did, what was asked of it."""

from collections.abc import Iterable
from typing import Any

from tasks.evaluate.metrics import others, wilson
from tasks.publish.inputs import ReportInputs
from tasks.publish.release.gate import Judgement
from tasks.publish.release.prefect_artifacts import plain
from tasks.publish.wording import as_shown, percent

MOST_CLASSES = 100


def card(inputs: ReportInputs, judgement: Judgement, training_card: str) -> str:
    """Markdown: results by split and class in front of the training's own card.

    They are this model's own, not the mean over seeds that the report shows.
    """
    titles = [one.title for one in others(len(inputs.classes)).values()]
    lines = [
        f"# {plain(inputs.experiment)}, published {inputs.when[:10]}",
        "",
        f"Model `{inputs.model}`, run `{inputs.run}`.",
        "",
        f"Why it was published: {plain(judgement.text)}",
        "",
        f"| Split | Pictures | Accuracy | 95 % interval |{_cells(titles)}",
        f"|---|---|---|---|{'---|' * len(titles)}",
        *(_split_line(name, inputs.metrics) for name in inputs.splits),
        "",
        f"By class, on {inputs.shown} pictures:",
        "",
        "| class | pictures | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *(
            f"| {plain(name)} | {one['support']} | {percent(one['precision'])} "
            f"| {percent(one['recall'])} | {percent(one['f1'])} |"
            for name, one in list(inputs.headline["per_class"].items())[:MOST_CLASSES]
        ),
        "",
        training_card.replace("# Model card", "## What it takes and gives", 1),
    ]
    return "\n".join(lines)


def _split_line(name: str, every: dict[str, Any]) -> str:
    metrics = every[name]
    accuracy, images = metrics["accuracy"]["published"], metrics["images"]
    low, high = wilson(accuracy * images, images)
    rest = (
        as_shown(one, metrics[key]["published"])
        for key, one in others(len(every["classes"])).items()
    )
    return (
        f"| {name} | {images} | {percent(accuracy)} | {percent(low)} to {percent(high)} "
        f"|{_cells(rest)}"
    )


def _cells(texts: Iterable[str]) -> str:
    return "".join(f" {text} |" for text in texts)
