"""Answer HTTP requests with a model."""

from tasks.classify.classifier import Classifier
from tasks.classify.models import model_file
from tasks.serve.app import create_app
from tasks.serve.limits import MAX_BYTES, Limits
from tasks.serve.listening import listen, listening_socket


def serve(
    *,
    model: str,
    host: str = "127.0.0.1",
    port: int = 8000,
    max_bytes: int = MAX_BYTES,
    doubt: bool = False,
    hosts: tuple[str, ...] = (),
) -> None:
    """Answer until interrupted; `model` is a model.keras, its folder, or an experiment.

    `hosts` are names by which clients may call it, beside its addresses and localhost. With
    `doubt` answers say which classes may fit, and whether any does.
    """
    limits = Limits(max_bytes=max_bytes)
    # An address that is taken is told before seconds are spent on the model.
    with listening_socket(host, port) as bound:
        file = model_file(model)
        app = create_app(lambda: Classifier.open(file, doubt=doubt), limits, (host, *hosts))
        listen(app, limits, bound)
