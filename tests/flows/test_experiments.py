"""Settings laid over an experiment, and the command that says them again."""

import json
import shlex
from pathlib import Path

import pytest
import yaml

from flows import experiments
from flows.command.app import app, main
from storage.errors import ParameterError

BIRDS = {"experiment": "birds", "source": {"kind": "folders", "folder": "data/birds"}}


@pytest.fixture
def file(tmp_path):
    return written(tmp_path / "my experiments.yaml", BIRDS)


def written(path, *trees):
    listed = [{"name": tree["experiment"], "parameters": tree} for tree in trees]
    path.write_text(yaml.safe_dump({"deployments": listed}))
    return path


@pytest.mark.parametrize(
    ("setting", "read", "value"),
    [
        ("source.folder=2024", lambda e: e.source.folder, Path("2024")),
        ("source.folder=007", lambda e: e.source.folder, Path("007")),
        ("source.folder=1_000.50", lambda e: e.source.folder, Path("1_000.50")),
        ("source.folder=2024-05-01", lambda e: e.source.folder, Path("2024-05-01")),
        ("source.folder=no", lambda e: e.source.folder, Path("no")),
        ("source={kind: folders, folder: 1e3}", lambda e: e.source.folder, Path("1e3")),
        ("experiment=12", lambda e: e.experiment, "12"),
        ("model.weights=~/w.h5", lambda e: e.model.weights, Path("~/w.h5").expanduser()),
        ("model.weights=5", lambda e: e.model.weights, Path("5")),
        ("model.layer=3", lambda e: e.model.layer, "3"),
        (
            "source={kind: archive, archive: 1, kaggle: 2, label_csv: 3}",
            lambda e: (e.source.archive, e.source.kaggle, e.source.label_csv),
            (Path("1"), "2", "3"),
        ),
        (
            "source={kind: synsets, synsets: {2024: n04194289, 1: n02834778}}",
            lambda e: e.source.synsets,
            {"2024": "n04194289", "1": "n02834778"},
        ),
    ],
)
def test_a_number_is_text_where_text_is_wanted(file, setting, read, value):
    assert read(experiments.load("birds", [setting], file)) == value


def test_numbers_stay_numbers_where_numbers_are_wanted(file):
    settings = ["source.folder=2024", "split.seed=12", "training.learning_rate=1"]
    found = experiments.load("birds", settings, file)
    assert (found.split.seed, found.training.learning_rate) == (12, 1.0)


def test_the_last_setting_counts_for_text_too(file):
    settings = ["source.folder=2024", "source={kind: folders, folder: 2025}"]
    assert experiments.load("birds", settings, file).source.folder == Path("2025")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("source.folder=null", "source.folder: "),
        ("source.folder=[1]", "source.folder: "),
        ("model.backbone=16", "model.backbone"),
        ("split.seed=x", "split.seed: "),
    ],
)
def test_what_is_no_text_is_still_refused(file, setting, message):
    with pytest.raises(ParameterError) as failure:
        experiments.load("birds", [setting], file)
    assert message in str(failure.value)


@pytest.mark.parametrize("value", ["[" * 100_000, "{a: " * 20_000, "- " * 50_000])
def test_a_value_nested_too_deeply_is_named_and_shortened(file, value):
    with pytest.raises(ParameterError, match=r"--set split\.seed") as failure:
        experiments.load("birds", [f"split.seed={value}"], file)
    assert len(str(failure.value)) < 200


@pytest.mark.parametrize("depth", [50, 100, 150, 200, 250, 300, 400])
@pytest.mark.parametrize("name", ["split.seed", "source.folder", "source", "clean"])
def test_any_depth_ends_in_a_parameter_error(file, name, depth):
    with pytest.raises(ParameterError):
        experiments.load("birds", [f"{name}={'[' * depth}{']' * depth}"], file)


def test_a_name_of_any_depth_ends_in_a_parameter_error(file):
    for name in ("split.seed", "source.folder", "source.synsets", "nothing"):
        with pytest.raises(ParameterError):
            experiments.load("birds", [f"{name}{'.a' * 20_000}=1"], file)


@pytest.mark.parametrize("listed", ["[" * 100_000, "!!int ''", "!!bool x", "!!timestamp x"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, listed):
    path = tmp_path / "prefect.yaml"
    path.write_text(f"deployments: {listed}")
    with pytest.raises(ParameterError, match=r"prefect\.yaml"):
        experiments.deployments(path)


def test_a_name_may_look_like_a_number_and_a_description_may_be_missing(tmp_path, capsys):
    path = tmp_path / "own.yaml"
    listed = [
        {"name": 2024, "description": None, "parameters": BIRDS},
        {"name": "words", "description": " of  mine ", "parameters": BIRDS},
        {"name": "number", "description": 12, "parameters": BIRDS},
    ]
    path.write_text(yaml.safe_dump({"deployments": listed}))
    assert main(["experiments", "--file", str(path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["2024"], ["words", "of", "mine"], ["number", "12"]]
    assert experiments.load("2024", [], path).experiment == "birds"
    with pytest.raises(ParameterError, match=r"did you mean 2024\? Known: 2024, words, number"):
        experiments.load("202", [], path)


def test_a_deployment_that_names_no_experiment_is_the_experiment_of_its_name(tmp_path):
    path = tmp_path / "own.yaml"
    listed = [{"name": "birds", "parameters": {"source": BIRDS["source"]}}]
    path.write_text(yaml.safe_dump({"deployments": listed}))
    assert experiments.load("birds", [], path).experiment == "birds"


def with_absolute_paths(experiment):
    """The experiment as its command names it, wherever that is typed."""
    folder = getattr(experiment.source, "folder", None)
    update = {"folder": folder.absolute()} if folder else {}
    source = experiment.source.model_copy(update=update)
    return experiment.model_copy(update={"source": source})


def reproduced(text):
    """The experiment that a command would run."""
    _, words, _ = app.parse_args(shlex.split(text)[1:])
    words.apply_defaults()
    given = words.arguments
    return experiments.load(given["name"], list(given["settings"]), given["file"])


SETTINGS = [
    [],
    ["split.seed=3", "training.patience=5"],
    ["source.folder=2024"],
    ["source.folder='a b; rm -rf $HOME'"],
    ["split={rule: in_order, counts: {train: 2}}"],
    ["source={kind: synsets, synsets: {a.b: n04194289, c: n02834778}}"],
    ["model={kind: network, network: alexnet, image_size: 227}"],
    ["model.head.layers=[{units: 8}]"],
    ["source.folder=ねこ 🐈"],
    ['source.folder="a\\u2028b\\x85c\\x7fd"'],
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_command_of_an_experiment_of_ones_own_runs_the_same_again(file, settings):
    experiment = experiments.load("birds", settings, file)
    with experiments.read_from(file):
        text = experiments.command(experiment)
    assert with_absolute_paths(reproduced(text)) == with_absolute_paths(experiment)
    assert f"--file '{file}'" in text


@pytest.mark.parametrize("key", ["a.b", "a=b", "=", "."])
def test_a_key_that_a_name_cannot_say_is_set_with_its_whole_table(tmp_path, key):
    source = {"kind": "synsets", "synsets": {key: "n04194289", "c": "n02834778"}}
    path = written(tmp_path / "own.yaml", {"experiment": "boats", "source": source})
    setting = f"source.synsets={json.dumps({key: 'n00000001', 'c': 'n02834778'})}"
    experiment = experiments.load("boats", [setting], path)
    with experiments.read_from(path):
        assert reproduced(experiments.command(experiment)) == experiment
    assert experiment.source.synsets[key] == "n00000001"


@pytest.mark.parametrize("settings", SETTINGS[:2])
def test_the_command_of_an_experiment_of_the_project_names_no_file(settings):
    experiment = experiments.load("digits", settings)
    text = experiments.command(experiment)
    assert with_absolute_paths(reproduced(text)) == with_absolute_paths(experiment)
    assert "--file" not in text


def test_the_command_of_another_name_begins_with_the_deployment_it_came_from():
    settings = ["experiment=birds", "source.folder=birds"]
    experiment = experiments.load("my-pictures", settings)
    with experiments.read_from(experiments.DEPLOYMENTS, "my-pictures"):
        text = experiments.command(experiment)
    assert with_absolute_paths(reproduced(text)) == with_absolute_paths(experiment)
    assert text.startswith("darkroom run my-pictures --set 'experiment=")


def test_an_experiment_of_ones_own_may_be_named_as_one_of_the_project(tmp_path):
    path = written(tmp_path / "own.yaml", BIRDS | {"experiment": "digits"})
    experiment = experiments.load("digits", [], path)
    with experiments.read_from(path):
        assert reproduced(experiments.command(experiment)) == experiment


def test_an_experiment_that_is_complete_only_with_settings_is_said_in_full(tmp_path):
    path = written(tmp_path / "own.yaml", {"experiment": "birds", "source": {"kind": "folders"}})
    experiment = experiments.load("birds", ["source.folder=here"], path)
    with experiments.read_from(path):
        again = reproduced(experiments.command(experiment))
    assert with_absolute_paths(again) == with_absolute_paths(experiment)


def test_where_the_file_is_not_known_a_placeholder_says_so(file):
    experiment = experiments.load("birds", [], file)
    assert experiments.command(experiment) == "darkroom run birds --file EXPERIMENTS.yaml"


def test_a_file_that_went_away_ends_no_run(file):
    experiment = experiments.load("birds", [], file)
    file.unlink()
    with experiments.read_from(file):
        assert experiments.command(experiment) == f"darkroom run birds --file '{file}'"
    assert json.loads(experiment.model_dump_json())["experiment"] == "birds"


def test_a_folder_that_was_set_is_named_so_that_it_is_found_from_anywhere(file, tmp_path):
    experiment = experiments.load("birds", ["source.folder=here/ねこ"], file)
    with experiments.read_from(file):
        words = shlex.split(experiments.command(experiment))
    assert words[-1] == f'source.folder="{Path("here/ねこ").absolute()}"'


def test_no_name_stands_twice_in_one_place():
    def places(node):
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value]
            assert len(set(names)) == len(names), f"{names} in line {node.start_mark.line + 1}"
            for _, value in node.value:
                places(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                places(value)

    places(yaml.compose(experiments.DEPLOYMENTS.read_text()))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "the best of several linear heads on EfficientNetLite0 at 224 pixels"),
        (
            [
                "model.head.kind=dense",
                "model.averaging=mirror",
                "model.backbone=[EfficientNetLite0, EfficientNetLite2]",
                "training.repeats=3",
            ],
            (
                "a dense head on EfficientNetLite0 and EfficientNetLite2 at 224 pixels, seen with "
                "their mirror images, 3 times"
            ),
        ),
        (
            ["model={kind: network, network: lenet5, image_size: 32}"],
            "lenet5 from scratch at 32 pixels",
        ),
        (
            ["model={kind: finetune, layer: block4_pool, backbone: VGG16, image_size: 96}"],
            "a dense head on VGG16 at 96 pixels, tuned above block4_pool",
        ),
    ],
)
def test_what_a_run_will_do_is_said_in_a_line(settings, said, tmp_path):
    experiment = experiments.load("my-pictures", [f"source.folder={tmp_path}", *settings])
    assert experiments.plan(experiment) == f"{said}; what is stored is not done again"
