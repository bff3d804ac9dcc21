"""The server's four addresses, from a request to its answer."""

import asyncio
from collections.abc import Callable, Sequence

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from fastapi_offline import FastAPIOffline

from tasks.classify.classifier import Classifier
from tasks.pictures.decoding import Problem
from tasks.serve import responses
from tasks.serve.connections import KnownHost, RestOfBody
from tasks.serve.limits import Limits
from tasks.serve.request_bodies import RETRY_AFTER, pictures_in
from tasks.serve.responses import Card, Doubted, Health, Prediction, Refusal
from tasks.serve.service import Service

# The one with more fields first: what is said is written as the first that fits.
Said = Doubted | Prediction | list[Doubted | Prediction | Refusal]


def create_app(
    open_model: Callable[[], Classifier], limits: Limits, hosts: Sequence[str] = ()
) -> FastAPI:
    """The ASGI application of one model, which is loaded once the server answers.

    It is known by its addresses, as localhost, and by the names in `hosts`.
    """
    service = Service(open_model, limits)
    app = FastAPIOffline(
        redoc_url=None,
        title="Darkroom",
        description=responses.described(limits),
        version="1",
        lifespan=service.running,
    )
    app.state.service = service
    app.add_middleware(KnownHost, names=hosts)
    app.add_middleware(RestOfBody, seconds=limits.rest_seconds)
    app.add_exception_handler(Exception, _failed)
    _add_predict(app, service)
    _add_health(app, service)
    _add_card(app, service)
    app.add_api_route("/", _docs, include_in_schema=False)
    return app


async def _failed(_request: Request, _error: Exception) -> Response:
    """The log has the traceback; a client is told no more than it needs."""
    return JSONResponse({"detail": "the model failed on this picture"}, 500)


async def _docs() -> Response:
    return RedirectResponse("docs")


def _add_predict(app: FastAPI, service: Service) -> None:
    @app.post(
        "/predict",
        summary="Classify pictures",
        responses=responses.predict_codes(service.limits),
        openapi_extra=responses.PREDICT_BODY,
    )
    async def predict(request: Request) -> Said:
        """One picture gives one object. Several give a list in their order, with a `detail` in
        place of the label for each one that cannot be used.

        `curl -F file=@dog.jpg http://127.0.0.1:8000/predict`
        or `curl -H 'Content-Type: image/jpeg' --data-binary @dog.jpg http://127.0.0.1:8000/predict`
        """
        with service.place(), service.room.body() as body:
            pictures = await pictures_in(request, body)
            async with service.turn():
                return _said(await _outcomes(service, pictures))


async def _outcomes(service: Service, pictures: list[bytes]) -> list[Prediction | Problem]:
    """One per picture; raises what the model raised, once no picture is being worked on."""
    done = await asyncio.gather(
        *(service.outcome(picture) for picture in pictures), return_exceptions=True
    )
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


def _said(outcomes: list[Prediction | Problem]) -> Said:
    said = [one if isinstance(one, Prediction) else _refusal(one) for one in outcomes]
    if all(isinstance(one, Refusal) for one in said):
        raise HTTPException(422, "; ".join(one.detail for one in said if isinstance(one, Refusal)))
    first = said[0]
    return first if len(said) == 1 and isinstance(first, Prediction) else said


def _refusal(problem: Problem) -> Refusal:
    return Refusal(detail=f"{problem.status}: {problem.reason}")


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/health", summary="Ready or not", responses=responses.health_codes(service.limits))
    async def health(response: Response) -> Health:
        """Answered at once, also while the model is loaded and while it computes."""
        ready = service.state == "ready"
        if not ready:
            response.status_code = 503
            response.headers.update(RETRY_AFTER)
        return Health(ready=ready, state=service.state, waiting=service.taken)


def _add_card(app: FastAPI, service: Service) -> None:
    @app.get("/card", summary="The model card", responses=responses.CARD_TEXT, response_model=None)
    async def card(request: Request) -> Response:
        """Where the model comes from, what it takes and what it gives."""
        classifier = service.classifier
        headers = {"Vary": "Accept", "X-Content-Type-Options": "nosniff"}
        if "application/json" in request.headers.get("accept", ""):
            whole = Card(
                classes=list(classifier.classes), side=classifier.square.side, card=classifier.card
            )
            return JSONResponse(whole.model_dump(), headers=headers)
        return PlainTextResponse(classifier.card, headers=headers)
