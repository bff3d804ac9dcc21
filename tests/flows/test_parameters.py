import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from flows import experiments
from flows.parameters import Clean, Experiment, Features, Split
from storage.errors import ParameterError
from tasks.split.parameters import Counts, Fractions
from tasks.train.parameters import Training
from tests.project import PROJECT

PARAMETERS = {
    "experiment": "birds",
    "source": {"kind": "folders", "folder": "data/birds"},
    "split": {"rule": "stratified", "fractions": {"train": 0.6, "validation": 0.2, "test": 0.2}},
    "training": {"epochs": 5},
}


@pytest.fixture
def file(tmp_path):
    """A list of two experiments, and a deployment that is none."""
    path = tmp_path / "prefect.yaml"
    counted = PARAMETERS | {
        "experiment": "fish",
        "split": {"rule": "in_order", "counts": {"train": 9}},
    }
    deployments = [
        {"name": "birds", "parameters": PARAMETERS},
        {"name": "fish", "parameters": counted},
        {"name": "refresh-birds", "parameters": {"every": "day"}},
    ]
    path.write_text(yaml.safe_dump({"deployments": deployments}))
    return path


def refusal(name, *settings, file):
    with pytest.raises(ParameterError) as failure:
        experiments.load(name, list(settings), file)
    return str(failure.value)


def test_an_experiment_is_read_with_its_defaults(file):
    found = experiments.load("birds", [], file)
    assert found.experiment == "birds"
    assert found.source.folder == Path("data/birds")
    assert found.split.amounts == Fractions(train=0.6, validation=0.2, test=0.2)
    assert found.training.epochs == 5
    assert found.clean == Clean()
    assert found.model == Features()


def test_whoever_wants_logs_of_a_trained_model_is_told_to_train_again():
    assert "--rerun train" in Training.model_fields["tensorboard"].description


def test_only_deployments_of_experiments_are_experiments(file):
    assert list(experiments.deployments(file)) == ["birds", "fish"]


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("split.seed=9", lambda e: e.split.seed == 9),
        ("training.learning_rate=1e-3", lambda e: e.training.learning_rate == 0.001),
        ("training.patience=null", lambda e: e.training.patience is None),
        ("clean.copies=ignore", lambda e: e.clean.copies == "ignore"),
        ("source.folder=a=b", lambda e: e.source.folder == Path("a=b")),
        ('model.head={"layers": [{"units": 8}]}', lambda e: e.model.head.layers[0].units == 8),
        ("model.head.layers=[]", lambda e: e.model.head.layers == ()),
        (
            'split.fractions={"train": 0.5, "validation": 0.25, "test": 0.25}',
            lambda e: e.split.amounts.shares() == {"train": 0.5, "validation": 0.25, "test": 0.25},
        ),
        ("source={kind: digits}", lambda e: e.source.kind == "digits"),
    ],
)
def test_a_setting_is_laid_over_the_experiment(file, setting, read):
    assert read(experiments.load("birds", [setting], file))


def test_several_settings_make_one_change(file):
    settings = [
        "split.fractions.train=0.8",
        "split.fractions.validation=0.1",
        "split.fractions.test=0.1",
    ]
    assert experiments.load("birds", settings, file).split.amounts.shares()["train"] == 0.8


def test_the_last_of_two_settings_counts(file):
    assert experiments.load("birds", ["split.seed=1", "split.seed=2"], file).split.seed == 2


def test_settings_change_nothing_for_the_next_reader(file):
    experiments.load("birds", ["split.seed=99", "training.epochs=1"], file)
    assert experiments.load("birds", [], file).split.seed == Split().seed
    assert experiments.load("birds", [], file).training.epochs == 5


@pytest.mark.parametrize("setting", ["split.seed", "=7", "", "split.seed:7"])
def test_a_setting_without_name_or_value_shows_how_to_write_one(file, setting):
    message = refusal("birds", setting, file=file)
    assert "NAME=VALUE, as in split.seed=7" in message
    assert repr(setting) in message


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[1, 2",
        "'",
        "a: b: c",
        "2024-13-45",
        "0x_",
        "!!python/name:os",
        "!!timestamp x",
        "!!bool x",
        "!!int ''",
        "!!float ''",
    ],
)
def test_a_value_that_cannot_be_read_is_named(file, value):
    message = refusal("birds", f"split.seed={value}", file=file)
    assert "--set split.seed" in message
    assert value in message


@pytest.mark.parametrize(
    ("setting", "where", "what"),
    [
        ("split.sed=3", "split.sed", "no such parameter; did you mean split.seed? (found 3)"),
        ("spilt.seed=3", "spilt.seed", "no such parameter; did you mean split.seed?"),
        ("split..seed=3", "split..seed", "no such parameter; did you mean split.seed?"),
        ("epochs=3", "epochs", "no such parameter; did you mean training.epochs?"),
        ("model.kernels=3", "model.kernels", "no such parameter, see `darkroom parameters`"),
        ("source.url=x", "source.url", "only for kind web_archive, this is of kind folders"),
        ("split.seed=-1", "split.seed", "found -1"),
        ("split.seed=soon", "split.seed", "found 'soon'"),
        ("split.seed.deep=1", "split.seed", "integer"),
        ("split.rule=random", "split.rule", "'sticky', 'given' or 'by_time'"),
        ("split=null", "split", "found None"),
        (
            "split.fractions.train=0.9",
            "split.fractions",
            "should be 1, found 1.3 (0.9 + 0.2 + 0.2)",
        ),
        ("split.fractions.train=.nan", "split.fractions.train", "nan"),
        ("split.counts.train=3", "split", "rule stratified takes fractions, not counts"),
        ("split.rule=in_order", "split", "rule in_order takes counts"),
        ("training.epochs=0", "training.epochs", "found 0"),
        ("training.repeats=0", "training.repeats", "found 0"),
        ("training.learning_rate=0", "training.learning_rate", "greater than 0"),
        ("clean.min_side=0", "clean.min_side", "found 0"),
        ("model.backbone=VGG17", "model", "unknown backbone 'VGG17': did you mean VGG1"),
        ("model.image_size=8", "model.image_size", "32"),
        ("model.head.layers=[{units: 0}]", "model.head.layers.0.units", "found 0"),
        ("source.kind=zip", "source", "'archive'"),
        ("source=here", "source", "found 'here'"),
        ("source.kind=archive", "source.archive", "is needed: --set source.archive=…"),
        ("source.max_file_bytes=0", "source.max_file_bytes", "found 0"),
        ("source.fodler=x", "source.fodler", "no such parameter; did you mean source.folder?"),
        ("experiment=''", "experiment", "at least 1 character"),
    ],
)
def test_a_wrong_value_says_where_it_is_what_was_found_and_what_is_expected(
    file, setting, where, what
):
    message = refusal("birds", setting, file=file)
    assert message.startswith(f"{where}: ")
    assert what in message


def test_fractions_are_refused_where_counts_are_wanted(file):
    assert "takes counts" in refusal("fish", "split.fractions.train=0.8", file=file)


def test_every_wrong_value_is_named_at_once(file):
    message = refusal("birds", "split.sed=1", "training.epochs=-1", "clean.min_side=x", file=file)
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize("name", ["brids", "bird", "Birds"])
def test_an_unknown_experiment_comes_with_a_suggestion(file, name):
    message = refusal(name, file=file)
    assert f"unknown experiment {name!r}; did you mean birds?" in message
    assert message.endswith("Known: birds, fish")


def test_an_unknown_experiment_like_no_other_comes_with_the_list(file):
    assert refusal("zzz", file=file) == "unknown experiment 'zzz'. Known: birds, fish"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"deployments:",
        b"deployments: 3",
        b"deployments: [birds]",
        b"deployments: [{parameters: {experiment: birds}}]",
        b"- birds",
        b"{",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_without_a_list_of_deployments_is_named(tmp_path, content):
    path = tmp_path / "prefect.yaml"
    path.write_bytes(content)
    message = refusal("birds", file=path)
    assert "expected a list of deployments" in message
    assert str(path) in message


def test_a_deployment_without_parameters_does_not_hide_the_others(tmp_path):
    path = tmp_path / "prefect.yaml"
    path.write_text(
        "deployments: [{name: none, parameters: null}, {name: birds, parameters: {source: {}}}]"
    )
    assert list(experiments.deployments(path)) == ["birds"]


def test_two_deployments_of_one_name_are_named(tmp_path):
    path = tmp_path / "prefect.yaml"
    one = "{name: birds, parameters: {source: {}}}"
    path.write_text(f"deployments: [{one}, {one}]")
    assert "has 2 deployments called 'birds'" in refusal("birds", file=path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert str(tmp_path / "none.yaml") in refusal("birds", file=tmp_path / "none.yaml")


@pytest.mark.parametrize("name", experiments.deployments())
def test_every_experiment_of_the_project_is_valid_and_named_as_its_deployment(name):
    assert experiments.load(name, []).experiment == name


def test_parameters_survive_json():
    found = Experiment.model_validate(PARAMETERS)
    assert Experiment.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [(Split(), "seed", 1), (Training(), "epochs", 1), (Features(), "backbone", "VGG19")],
)
def test_parameters_do_not_change(group, field, value):
    with pytest.raises(ValidationError):
        setattr(group, field, value)


def test_the_default_split_is_sticky_with_fractions():
    assert Split().asked is None
    assert Split().is_sticky
    assert Split().splits == "either"
    assert Split().amounts == Fractions()
    assert Split(rule="in_order", counts=Counts(train=3)).amounts == Counts(train=3)


@pytest.mark.parametrize("values", [{"rule": "in_order"}, {"counts": {"train": 3}}])
def test_a_rule_without_its_amounts_is_refused(values):
    with pytest.raises(ValidationError):
        Split.model_validate(values)


PLAIN = [
    "flows.experiments", "flows.parameters",
    "tasks.pictures.decoding", "tasks.clean.facts", "tasks.clean.duplicate_groups",
    "tasks.clean.screen",
    "tasks.split.rules", "tasks.split.lineage", "tasks.split.parameters",
    "tasks.evaluate.metrics", "tasks.train.predict", "tasks.evaluate.predictions_table",
]  # fmt: skip


def test_plain_modules_import_neither_prefect_nor_tensorflow():
    code = f"""
import importlib, sys
for name in {PLAIN}:
    importlib.import_module(name)
from flows import experiments
for name in experiments.deployments():
    experiments.load(name, ["split.seed=3"])
print(sorted({{"prefect", "tensorflow", "keras"}} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (out.stdout.strip(), out.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("settings", "kind", "part"),
    [
        ([], "features", "Frozen"),
        (["model={kind: finetune}"], "finetune", "FineTuning"),
        (["model={kind: network, network: alexnet}"], "network", "Network"),
    ],
)
def test_the_kind_of_model_decides_what_is_trained(file, settings, kind, part):
    model = experiments.load("birds", settings, file).model
    assert model.kind == kind
    assert type(model.part()).__name__ == part


def test_another_kind_leaves_what_only_the_kind_before_had():
    settings = ["source.folder=pictures", "source.kind=folders", "model.kind=finetune"]
    before = experiments.load("cats-and-dogs-rescale", [])
    after = experiments.load("cats-and-dogs-rescale", settings)
    assert after.source.folder == Path("pictures")
    assert after.model.kind == "finetune"
    assert after.model.head == before.model.head
    assert after.model.image_size == before.model.image_size
    assert after.training == before.training


def test_what_is_set_for_the_kind_before_is_still_refused():
    settings = ["source.archive=x.zip", "source.kind=folders", "source.folder=pictures"]
    with pytest.raises(ParameterError, match=r"source\.archive: only for kind archive"):
        experiments.load("cats-and-dogs-rescale", settings)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (["model={kind: tree}"], "features"),
        (["model=3"], "features"),
        (["model={kind: network}"], "model.network: is needed"),
        (["model={kind: network, network: alexnet, head: {}}"], "model.head: only for kind"),
        (["model={kind: finetune, views: 3}"], "model.views needs training.augmentation"),
        (["training.augmentation={zoom: 0.1}"], "changes nothing for kind features"),
        (["training.decay=0.1", "training.cosine=true"], "take one"),
        (["model={kind: network, network: alexnet, image_size: 32}"], "at least 67 pixels"),
        (["model={kind: network, network: lenet5, dropout: 0.9}"], "dropout is an option of"),
        (
            ["model={kind: network, network: lenet5, local_response_normalisation: true}"],
            "is for alexnet",
        ),
        (
            ["model={backbone: EfficientNetB0, preprocessing: rescale}"],
            "EfficientNetB0 scales pixels by itself",
        ),
        (["clean.max_pixels=200000000"], "less than or equal to 100000000"),
        (["training.momentum=0.9"], "momentum is for sgd, found it with adam"),
        (["training.augmentation={zoom: 2}"], "training.augmentation.zoom"),
    ],
)
def test_what_does_not_go_together_is_refused(file, settings, what):
    with pytest.raises(ParameterError) as failure:
        experiments.load("birds", settings, file)
    assert what in str(failure.value)


def test_views_go_to_the_step_that_extracts_them(file):
    settings = ["model={views: 3, averaging: mirror}", "training.augmentation={rotation: 10}"]
    told = experiments.load("birds", settings, file).model.extraction()
    assert (told.views, told.averaging, told.layer) == (3, "mirror", None)
    network = ["model={kind: network, network: lenet5, image_size: 32, channels: 1}"]
    told = experiments.load("birds", network, file).model.extraction()
    assert (told.backbone, told.channels) == (None, 1)
