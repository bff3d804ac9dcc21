"""The same work by this process and by Ray's workers, some of which are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage import elsewhere
from storage.elsewhere import REMOTE_VARIABLE
from storage.errors import MissingLibrary, ParameterError, StorageDamaged, SystemLimit
from storage.images import ImageStore
from storage.shards import ShardStore
from storage.workspace import HOME_VARIABLE, Workspace
from tasks.extract.job import ExtractionJob
from tasks.features.parameters import Extraction
from tasks.running.engine import mapping
from tasks.running.engine.jobs import units
from tasks.running.engine.on_ray import ON_LOOPBACK
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import silent
from tests.pictures import picture
from tests.project import PROJECT
from tests.tasks.running.engine import slow_job
from tests.tasks.running.engine.slow_job import SlowJob

RAY = Engine(kind="ray", workers=2)


@pytest.fixture(scope="module")
def ray():
    """Ray, whose cluster the tests here share; a test that needs its own ends it before."""
    os.environ.update(ON_LOOPBACK)  # before Ray is imported
    found = pytest.importorskip("ray", reason="needs Ray, which is not installed")
    found.cloudpickle.register_pickle_by_value(slow_job)
    yield found
    mapping.end()


def names(count):
    return [f"{number:03}" for number in range(count)]


def stored(folder):
    return sorted(path.name for path in ShardStore(folder).paths())


def test_units_are_the_names_in_their_order():
    assert units(names(10), 4) == [names(10)[:4], names(10)[4:8], names(10)[8:]]
    assert units([], 4) == []


@pytest.mark.usefixtures("ray")
def test_shards_are_the_same_whoever_makes_them(tmp_path, monkeypatch, workspace):
    pictures = [ImageStore(workspace.images).add(picture(number)) for number in range(600)]
    job = ExtractionJob(Extraction(backbone=None, image_size=32), None)
    advanced = []
    assert mapping.mapped(RAY, job, pictures, advanced.append) == 600
    assert sum(advanced) == 600
    by_workers = stored(job.store.folder)
    assert len(by_workers) == 3

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "other"))
    Workspace.current().made().images.symlink_to(workspace.images)
    again = ExtractionJob(Extraction(backbone=None, image_size=32), None)
    assert mapping.mapped(HERE, again, pictures, silent) == 600
    assert stored(again.store.folder) == by_workers


@pytest.mark.usefixtures("ray")
def test_a_worker_that_is_killed_costs_its_unit(tmp_path, capfd):
    notes, job = tmp_path / "notes", SlowJob(tmp_path / "notes", seconds=0.5)
    killed = []

    def kill_one():
        while not notes.exists() or not notes.read_text():
            time.sleep(0.02)
        killed.append(int(notes.read_text().split()[0]))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert mapping.mapped(RAY, job, names(40), silent) == 40
    killer.join()
    lines = [line.split() for line in notes.read_text().splitlines()]
    assert sum(line[0] == str(killed[0]) for line in lines) == 1
    assert {line[2] for line in lines} == {"1"}  # each worker has one thread
    assert len(lines) == 11  # ten units, one of them twice
    assert len(stored(job.store.folder)) == 10
    assert "another one takes its unit" in capfd.readouterr().err


@pytest.mark.usefixtures("ray")
def test_a_unit_that_kills_every_worker_ends_the_work(tmp_path):
    with pytest.raises(SystemLimit, match="3 workers of Ray were lost with pictures as fatal"):
        mapping.mapped(RAY, SlowJob(tmp_path / "notes", seconds=0), ["fatal", *names(7)], silent)


@pytest.mark.usefixtures("ray")
def test_what_a_worker_raises_is_raised_here(tmp_path):
    with pytest.raises(StorageDamaged, match=r"^this picture is damaged$"):
        mapping.mapped(RAY, SlowJob(tmp_path / "notes", seconds=0), ["damage", *names(7)], silent)


def test_work_for_one_is_done_here(tmp_path):
    job = SlowJob(tmp_path / "notes", seconds=0)
    assert mapping.mapped(RAY, job, names(4), silent) == 4
    assert (tmp_path / "notes").read_text().startswith(f"{os.getpid()} ")


@pytest.mark.usefixtures("ray")
def test_a_worker_gives_the_remote_what_it_makes(tmp_path, monkeypatch, workspace):
    monkeypatch.setenv(REMOTE_VARIABLE, str(tmp_path / "remote"))
    job = SlowJob(tmp_path / "notes", seconds=0)
    mapping.mapped(RAY, job, names(8), silent)
    shared = elsewhere.remote(workspace)
    there = {Path(one.name).name for one in shared.objects.names("facts")}
    assert there == set(stored(job.store.folder))


@pytest.mark.usefixtures("ray")
def test_a_machine_that_is_lost_costs_its_units(tmp_path):
    """Two nodes in one cluster, as Ray's own tests have them; one is killed in mid work."""
    from ray.cluster_utils import Cluster

    mapping.end()
    size = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1"}
    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
    cluster = Cluster(initialize_head=True, head_node_args=size | {"_system_config": soon})
    try:
        other = cluster.add_node(**size)
        notes, job = tmp_path / "notes", SlowJob(tmp_path / "notes", seconds=0.3)

        def lose():
            while not notes.exists() or len({line.split()[0] for line in notes.open()}) < 2:
                time.sleep(0.02)
            cluster.remove_node(other, allow_graceful=False)

        losing = threading.Thread(target=lose)
        losing.start()
        engine = Engine(kind="ray", address=cluster.address)
        assert mapping.mapped(engine, job, names(80), silent) == 80
        losing.join()
        assert len(stored(job.store.folder)) == 20
    finally:
        mapping.end()
        cluster.shutdown()


SCRIPT = """
import sys
from pathlib import Path
import ray
from tests.tasks.running.engine import slow_job
from tasks.running.engine import mapping
from tasks.running.engine.parameters import Engine
from tasks.running.progress import silent
ray.cloudpickle.register_pickle_by_value(slow_job)
try:
    job = slow_job.SlowJob(Path(sys.argv[1]), seconds=1.0)
    mapping.mapped(Engine(kind="ray", workers=2), job, [str(n) for n in range(400)], silent)
finally:
    mapping.end()
"""


@pytest.mark.usefixtures("ray")
def test_ctrl_c_leaves_no_process_of_ray(tmp_path):
    import psutil

    notes = tmp_path / "notes"
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(notes)], cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not notes.exists():
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.1)
    started = psutil.Process(run.pid).children(recursive=True)
    assert any("raylet" in one.name() for one in started)
    run.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in run.communicate(timeout=60)[1]
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []


@pytest.mark.usefixtures("ray")
def test_a_cluster_that_is_not_there_is_said():
    mapping.end()
    with pytest.raises(ParameterError, match="no cluster of Ray"):
        mapping.mapped(
            Engine(kind="ray", address="127.0.0.1:1"), SlowJob(Path("notes")), names(8), silent
        )


def test_without_ray_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingLibrary, match=r"darkroom\[ray\]"):
        mapping.mapped(RAY, SlowJob(Path("notes")), names(8), silent)


@pytest.mark.parametrize(
    "tree", [{"workers": 2}, {"address": "auto"}, {"kind": "ray", "address": "user:pw@host:1"},
             {"kind": "ray", "workers": 0}, {"kind": "dask"}],
)  # fmt: skip
def test_an_engine_that_makes_no_sense_is_refused(tree):
    with pytest.raises(ValidationError):
        Engine(**tree)


def test_an_engine_changes_no_key():
    from tasks.clean.step import clean
    from tasks.extract.step import extract
    from tasks.running.steps import key_parts

    given = {
        extract: {"split": None, "model": None, "training": None},
        clean: {"collection": None, "parameters": None},
    }
    for step, inputs in given.items():
        assert key_parts(step, inputs) == key_parts(step, inputs | {"engine": RAY})


def test_nothing_of_the_engine_is_in_a_step_s_code():
    from tasks.running import code_fingerprint

    assert not any("engine" in one for one in code_fingerprint.modules_of("tasks.extract.step"))
