"""`darkroom parameters`: what --set takes."""

import functools
import re

import pytest
import yaml

from flows import experiments
from flows.command.app import main
from flows.listing import REQUIRED, TABLE, lines, sections
from flows.parameters import Experiment
from tests.flows.conftest import require_light

SCHEMA = Experiment.model_json_schema()
# Values for what has none of its own.
GIVEN = {
    "experiment": "birds",
    "source.archive": "pictures.zip",
    "source.folder": "pictures",
    "source.synsets": "{ship: n04194289}",
    "source.url": "http://host/pictures.zip",
    "model.network": "lenet5",
    "split.counts.train": "1",
    "publish.figure.accuracy": "1",
}


def resolved(schema):
    reference = schema.get("$ref")
    return SCHEMA["$defs"][reference.rpartition("/")[2]] if reference else schema


def options(schema):
    found = resolved(schema)
    return [resolved(one) for one in found.get("anyOf") or found.get("oneOf") or [found]]


def leaves(table, prefix):
    """Names of all that is no table, by the JSON schema that Prefect checks parameters by."""
    for name, field in table["properties"].items():
        inner = [one for one in options(field) if "properties" in one]
        for one in inner:
            yield from leaves(one, f"{prefix}{name}.")
        if not inner and field.get("type") != "null":
            yield prefix + name


def expected(section):
    group = section.parameters[0].name.partition(".")[0]
    kind = next((p.value for p in section.parameters if p.name == f"{group}.kind"), None)
    for table in options(SCHEMA["properties"][group]):
        if "properties" not in table:
            return [group]
        if kind is None or table["properties"]["kind"].get("const", kind) == kind:
            return sorted(leaves(table, f"{group}."))
    raise AssertionError(section.heading)


def names(section):
    return sorted(p.name for p in section.parameters if p.takes != TABLE)


def listed(*words, capsys):
    assert main(["parameters", *words]) == 0
    return capsys.readouterr().out


@functools.cache
def load(name):
    return experiments.load(name, [])


def settings(parameters):
    """A --set for each, inner names first: a table that is null is so again at the end."""
    return [
        f"{one.name}={GIVEN[one.name] if one.value is None else one.value}"
        for one in reversed(parameters)
        if one.value is not None or one.takes.endswith(REQUIRED)
    ]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.heading)
def test_every_parameter_of_every_kind_is_listed_once(section):
    assert names(section) == expected(section)


def test_every_group_and_kind_has_its_section():
    kinds = [
        (group, table["properties"].get("kind", {}).get("const", ""))
        for group, field in SCHEMA["properties"].items()
        for table in options(field)
        if "properties" in table
    ]
    headings = [section.heading for section in sections() if section.heading]
    assert len(headings) == len(kinds) == 15
    for heading, (group, kind) in zip(headings, kinds, strict=True):
        assert heading.startswith(f"{group}, kind {kind}: " if kind else f"{group}: ")


@pytest.mark.parametrize("name", experiments.deployments())
def test_an_experiment_has_one_section_for_each_group(name):
    found = list(sections(load(name)))
    assert len(found) == len(Experiment.model_fields)
    for section in found:
        assert names(section) == expected(section)


@pytest.mark.parametrize("name", experiments.deployments())
def test_what_is_listed_of_an_experiment_can_be_set_and_changes_nothing(name):
    experiment = load(name)
    parameters = [one for section in sections(experiment) for one in section.parameters]
    assert experiments.load(name, settings(parameters)) == experiment


@pytest.mark.parametrize("section", list(sections())[1:], ids=lambda section: section.heading)
def test_what_is_listed_of_a_kind_can_be_set_and_is_its_default(section):
    group = section.parameters[0].name.partition(".")[0]
    found = experiments.load("my-pictures", [f"{group}={{}}", *settings(section.parameters)])
    changed = getattr(found, group).model_dump(exclude_defaults=True)
    assert {f"{group}.{name}" for name in changed} <= {f"{group}.kind", *GIVEN}


def test_an_experiments_own_values_are_shown(capsys):
    out = listed("pokedex", capsys=capsys)
    for line in (
        "experiment=pokedex",
        "source.folder=data/pokedex",
        "model.kind=network",
        "model.network=smaller_vgg",
        "training.label_smoothing=0.1",
        "training.augmentation.rotation=25.0",
        "split.fractions.validation=0.0",
        "split.counts=null",
    ):
        assert f"\n  {line} " in f"\n{out}"
    assert "source.archive" not in out
    assert "model.backbone" not in out


def test_without_an_experiment_defaults_are_shown(capsys):
    out = listed(capsys=capsys)
    assert re.search(r"^  training\.epochs=30 +\(integer > 0\)$", out, re.MULTILINE)
    assert re.search(r"^  training\.optimizer=adam +\(rmsprop \| adam \| sgd\)$", out, re.MULTILINE)
    assert re.search(r"^  source\.folder +\(path, required\) The folder of", out, re.MULTILINE)
    assert "(integer >= 32 and <= 1,024 or null) Side of the square" in " ".join(out.split())


def test_experiments_of_a_file_of_ones_own_are_shown(tmp_path, capsys):
    tree = {"experiment": "birds", "source": {"kind": "folders", "folder": "007"}}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"deployments": [{"name": "birds", "parameters": tree}]}))
    assert "  source.folder='007' " in listed("birds", "--file", str(file), capsys=capsys)


def test_an_unknown_experiment_is_refused_as_by_run(capsys):
    refused = [
        (main([command, "nosuch"]), capsys.readouterr()) for command in ("parameters", "run")
    ]
    assert refused[0] == refused[1]
    assert refused[0][0] == 2
    assert "unknown experiment 'nosuch'" in refused[0][1].err


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("name", [None, "pokedex", "dogs-vs-cats-vgg16"])
def test_lines_fit_the_terminal_but_for_long_values(name, width):
    experiment = name and load(name)
    values = {
        f"  {one.name}={one.value}"
        for section in sections(experiment)
        for one in section.parameters
    }
    for line in lines(experiment, width):
        assert len(line) <= width or line in values


def test_every_description_can_be_read_whole(capsys):
    words = " ".join(listed(capsys=capsys).split())
    for section in sections():
        for one in section.parameters:
            assert f"({one.takes}) {one.about}".strip() in words


def test_listing_needs_neither_prefect_nor_tensorflow():
    require_light("assert main(['parameters']) == main(['parameters', 'pokedex']) == 0")
