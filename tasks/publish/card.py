"""The card of a published model: what it is, how well it did, what was asked of it."""

from tasks.publish.charts import percent
from tasks.publish.gate import Judgement
from tasks.publish.inputs import ReportInputs
from tasks.publish.markdown import plain

MOST_CLASSES = 100


def card(inputs: ReportInputs, judgement: Judgement, training_card: str) -> str:
    """Markdown: results by split and class in front of the training's own card."""
    lines = [
        f"# {plain(inputs.experiment)}, published {inputs.when[:10]}",
        "",
        f"Model `{inputs.model}`, run `{inputs.run}`.",
        "",
        f"Why it was published: {plain(judgement.text)}",
        "",
        "| split | pictures | accuracy | 95 % interval | log loss |",
        "|---|---|---|---|---|",
        *(_split_line(name, inputs.metrics[name]) for name in inputs.splits),
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


def _split_line(name: str, metrics: dict[str, dict[str, float]]) -> str:
    accuracy = metrics["accuracy"]
    return (
        f"| {name} | {metrics['images']} | {percent(accuracy['mean'])} "
        f"| {percent(accuracy['low'])} to {percent(accuracy['high'])} "
        f"| {metrics['log_loss']['mean']:.4f} |"
    )
