"""`darkroom serve`: answer HTTP requests with a model."""

from typing import Annotated

from cyclopts import App, Parameter

from flows.command.options import Doubt, Model
from storage.errors import ParameterError
from tasks.serve.limits import MAX_BYTES

app = App(name="serve", help_epilogue="")


@app.default
def serve(
    model: Model,
    /,
    *,
    host: Annotated[str, Parameter(help="127.0.0.1 is this machine alone.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes a free one.")] = 8000,
    max_bytes: Annotated[int, Parameter(help="Of one request's body.")] = MAX_BYTES,
    allow_host: Annotated[
        tuple[str, ...],
        Parameter(
            show_default=False,
            help="A name by which clients call this server, beside localhost and its addresses. "
            "May be given again.",
        ),
    ] = (),
    doubt: Doubt = False,
) -> None:
    """Answer HTTP requests with a model, until Ctrl-C."""
    if max_bytes < 1:
        raise ParameterError(f"--max-bytes takes 1 or more, found {max_bytes}")
    from flows.serve import serve as answer

    answer(model=model, host=host, port=port, max_bytes=max_bytes, doubt=doubt, hosts=allow_host)
