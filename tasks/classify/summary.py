"""What is said of all pictures together: counts, and the sentences made of them."""

from collections.abc import Sequence

from tasks.classify.predictions import Prediction


def counts(predictions: Sequence[Prediction]) -> dict[str, int]:
    """How many pictures, unreadable ones, ones whose name claims a class, and rightly."""
    verdicts = [one.correct for one in predictions if one.correct is not None]
    return {
        "pictures": len(predictions),
        "unreadable": sum(one.probability is None for one in predictions),
        "claimed": len(verdicts),
        "correct": sum(verdicts),
        "trained_on": sum(one.trained_on != "" for one in predictions),
    }


def sentences(predictions: Sequence[Prediction], passed_over: int, *, submitted: bool) -> list[str]:
    """What whoever asked should know besides the rows; nothing for a single picture."""
    found = counts(predictions)
    told = []
    if found["unreadable"] and (submitted or len(predictions) > 1):
        half = "; their label in the submission is 0.5" if submitted else ""
        told.append(f"{found['unreadable']} of {_pictures(predictions)} could not be read{half}")
    if passed_over:
        told.append(f"passed over, their names having no picture's suffix: {passed_over}")
    if found["claimed"] > 1:
        told.append(
            f"{found['correct']} of {found['claimed']} pictures are of the class that their name "
            f"or folder says ({found['correct'] / found['claimed']:.1%})"
        )
    if found["trained_on"]:
        told.append(
            f"the model was trained on {found['trained_on']} of {_pictures(predictions)}, or on "
            "copies of them: what it says of those proves nothing"
        )
    return told


def _pictures(predictions: Sequence[Prediction]) -> str:
    return "1 picture" if len(predictions) == 1 else f"{len(predictions)} pictures"
