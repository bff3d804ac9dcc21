"""Both flows have one signature; runs have names and tags, and one value can be changed."""

import inspect
import logging

import pytest

from tests.flows.conftest import parameters


def run_of(state):
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True).read_flow_run(state.state_details.flow_run_id)


@pytest.fixture
def until_clean(prefect_server, pictures):
    """Run the flow on 24 pictures as far as `clean`; the final state."""
    from flows.pipeline import pipeline

    def run(**more):
        return pipeline(**parameters(pictures) | {"until": "clean"} | more, return_state=True)

    return run


def test_both_flows_take_an_experiment(prefect_server):
    from flows.parameters import Experiment
    from flows.pipeline import pipeline
    from flows.refresh import refresh

    expected = [*Experiment.model_fields, "set"]
    taken = [list(inspect.signature(flow.fn).parameters) for flow in (pipeline, refresh)]
    assert taken == [[*expected, "rerun", "until", "retry"], expected]
    assert pipeline.parameters.required == refresh.parameters.required == ["experiment", "source"]


def test_a_run_is_named_and_tagged_after_its_experiment(until_clean):
    state = until_clean()
    run = run_of(state)
    assert run.name.startswith("small 20")
    assert set(run.tags) == {"small", "folders"}
    assert state.result()["counts"]["images"] == 24


def test_tasks_are_named_after_their_steps(until_clean):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[until_clean().state_details.flow_run_id]))
    runs = get_client(sync_client=True).read_task_runs(flow_run_filter=chosen)
    assert sorted(run.name for run in runs) == ["acquire", "clean"]


def test_one_value_is_changed_and_the_others_of_its_group_stay(until_clean):
    state = until_clean(clean={"max_pixels": 1_000_000}, set={"clean.min_side": 1000})
    assert state.is_failed()  # no picture is that large
    assert "too small" in state.message
    small = until_clean(set={"clean.max_pixels": 100, "clean.min_side": 1})
    assert "too many pixels" in small.message


def test_a_value_that_does_not_exist_fails_the_run_with_its_name(until_clean):
    state = until_clean(set={"training.epoch": 5})
    assert state.is_failed()
    assert "did you mean training.epochs?" in state.message


def test_a_group_given_whole_says_what_it_drops(prefect_server, pictures, caplog, monkeypatch):
    from flows.orchestration import experiment_flow

    before = parameters(pictures)
    deployed = type("Deployed", (), {"parameters": before})
    client = type("Client", (), {"read_deployment": lambda *_: deployed})
    monkeypatch.setattr(experiment_flow, "get_client", lambda **_: client())
    monkeypatch.setattr(experiment_flow, "get_run_logger", logging.getLogger)
    given = before | {"training": {"epochs": 5}}
    monkeypatch.setattr(
        experiment_flow.runtime, "deployment", type("D", (), {"id": "1", "parameters": given})
    )
    with caplog.at_level(logging.WARNING):
        experiment_flow._warn_of_dropped(given)
    (record,) = caplog.records
    assert record.message.startswith("training was given whole: training.batch_size=4 of the")
