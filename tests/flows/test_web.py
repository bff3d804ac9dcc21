"""Sources from the web and the scheduled refresh, on a real local server that counts."""

import hashlib
import json
import shutil
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from storage.workspace import HOME_VARIABLE
from tests.flows.conftest import executed
from tests.pictures import picture, write_kaggle_zip

SYNSETS = {"ship": "n04194289", "bicycle": "n02834778"}


class Site:
    """Files by path, with ETags; `bodies` counts those that were sent, `asked` every request."""

    def __init__(self):
        self.forget()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path
                site.asked[path] += 1
                data = site.files.get(path)
                if data is None:
                    return self.answer(404, b"")
                etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == etag:
                    return self.answer(304, b"", etag)
                site.bodies[path] += 1
                return self.answer(200, data, etag)

            def answer(self, code, data, etag=""):
                self.send_response(code)
                if etag:
                    self.send_header("ETag", etag)
                if code != 304:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def forget(self):
        """No files, no visits."""
        self.files: dict[str, bytes] = {}
        self.bodies: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    def serve_lists(self, per_class):
        """Lists and pictures of both synsets; more of a class are added at the end of its list."""
        for hue, wnid in enumerate(SYNSETS.values()):
            paths = [f"/{wnid}/{number}.jpg" for number in range(per_class)]
            for number, path in enumerate(paths):
                self.files.setdefault(path, picture(1000 * hue + number, hue=hue))
            self.files[f"/list?wnid={wnid}"] = "\r\n".join(
                self.address + path for path in paths
            ).encode()


@pytest.fixture(scope="module")
def one_site():
    """The server of all tests, since its address is part of what a run is known by."""
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def site(one_site):
    """A site without files that nobody has asked for anything."""
    one_site.forget()
    return one_site


def experiment_on(source):
    from flows.parameters import Experiment

    return Experiment.model_validate(
        {
            "experiment": "web",
            "source": source,
            "split": {"fractions": {"train": 0.5, "validation": 0.25, "test": 0.25}},
            "model": {"image_size": 32, "precision": "float32", "head": {"layers": []}},
            "training": {"epochs": 2},
        }
    )


@pytest.fixture
def synsets(site):
    site.serve_lists(20)
    return experiment_on_lists(site)


def experiment_on_lists(site):
    return experiment_on(
        {
            "kind": "synsets",
            "synsets": SYNSETS,
            "url_list": site.address + "/list?wnid={wnid}",
            "allow_private_addresses": True,
            "per_host_rate": 0,
        }
    )


@pytest.fixture(scope="module")
def first_visit(run, one_site, tmp_path_factory):
    """The first run of `synsets`, done once: its workspace, what it gave, what it asked for."""
    home = tmp_path_factory.mktemp("visit") / "workspace"
    one_site.forget()
    one_site.serve_lists(20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        result = run(experiment_on_lists(one_site))
    return home, result, one_site.bodies, one_site.asked


@pytest.fixture
def visited(first_visit, synsets, site, workspace):
    """The workspace and the site as the first run of `synsets` leaves them; what that run gave."""
    home, result, bodies, asked = first_visit
    site.bodies, site.asked = bodies.copy(), asked.copy()
    shutil.copytree(home, workspace.root, symlinks=True)
    return json.loads(json.dumps(result).replace(str(home), str(workspace.root)))


@pytest.fixture
def refreshed(prefect_server):
    """Refresh an experiment; (name of the final state, what the run gave)."""
    from flows.refresh import refresh

    def run_refresh(experiment):
        fields = {name: getattr(experiment, name) for name in type(experiment).model_fields}
        state = refresh(**fields, return_state=True)
        return state.name, state.result()

    return run_refresh


def test_synsets_become_a_classifier_and_are_fetched_once(run, synsets, visited, site):
    assert visited["counts"]["images"] == 40
    assert len(executed(visited)) == 7
    asked = sum(site.asked.values())
    second = run(synsets)
    assert executed(second) == []
    assert sum(site.asked.values()) == asked
    pictures = {path: n for path, n in site.bodies.items() if path.endswith(".jpg")}
    assert len(pictures) == 40
    assert set(pictures.values()) == {1}


def test_other_manners_rerun_nothing(run, synsets):
    run(synsets, until="acquire")
    source = synsets.source.model_copy(update={"per_host_rate": 5.0, "read_seconds": 3.0})
    again = run(synsets.model_copy(update={"source": source}), until="acquire")
    assert executed(again) == []


def test_dead_links_are_rows_not_failures(run, synsets, site):
    del site.files["/n04194289/3.jpg"]
    result = run(synsets, until="clean")
    assert result["counts"]["images"] == 39


def test_a_refresh_with_nothing_new_ends_as_unchanged_without_a_body(
    run, synsets, visited, site, refreshed
):
    before = site.bodies.copy()
    name, _ = refreshed(synsets)
    assert name == "Unchanged"
    assert site.bodies == before
    assert executed(run(synsets)) == []


def test_a_refresh_costs_what_is_new_and_moves_nothing(
    synsets, visited, site, refreshed, workspace
):
    from storage import manifests, records

    def places():
        where = records.latest(workspace, "web", "split").result["where"]
        table = manifests.load(workspace.root / where)
        return dict(zip(table["image"], table["split"], strict=True))

    old, before = places(), site.bodies.copy()
    site.serve_lists(22)
    name, result = refreshed(synsets)
    assert name == "Completed"
    assert result["counts"]["images"] == 44
    assert result["counts"]["extracted"] == result["counts"]["decoded"] == 4
    new = site.bodies - before
    assert sum(count for path, count in new.items() if path.endswith(".jpg")) == 4
    now = places()
    assert {image: now[image] for image in old} == old
    page = Path(result["report"]).read_text()
    assert "4 pictures came, 0 went" in page
    assert "Downloads by host" in page
    assert f"127.0.0.1:{site.server.server_port}" in page


def test_a_picture_that_is_gone_leaves_and_the_others_stay(synsets, visited, site, refreshed):
    del site.files["/n04194289/3.jpg"]
    name, result = refreshed(synsets)
    assert name == "Completed"
    assert result["counts"]["images"] == 39
    assert result["counts"]["extracted"] == 0


def test_failed_downloads_can_be_tried_again(prefect_server, run, synsets, site):
    from flows.pipeline import pipeline

    data = site.files.pop("/n04194289/3.jpg")
    assert run(synsets, until="clean")["counts"]["images"] == 39
    site.files["/n04194289/3.jpg"] = data
    before = site.asked.copy()
    fields = {name: getattr(synsets, name) for name in type(synsets).model_fields}
    again = pipeline(**fields, until="clean", retry="failed")
    asked = site.asked - before
    # A 404 is final; only failures that may pass are asked for again.
    assert again["counts"]["images"] == 39
    assert not [path for path in asked if path.endswith(".jpg")]


def test_an_archive_at_an_address_is_fetched_once_and_refreshed_on_condition(
    run, site, refreshed, tmp_path
):
    site.files["/pets.zip"] = write_kaggle_zip(tmp_path / "z.zip", 12).read_bytes()
    experiment = experiment_on(
        {
            "kind": "web_archive",
            "url": site.address + "/pets.zip",
            "allow_private_addresses": True,
        }
    )
    assert run(experiment)["counts"]["images"] == 24
    assert executed(run(experiment)) == []
    assert refreshed(experiment)[0] == "Unchanged"
    assert site.bodies["/pets.zip"] == 1
    site.files["/pets.zip"] = write_kaggle_zip(tmp_path / "z.zip", 14).read_bytes()
    name, result = refreshed(experiment)
    assert (name, result["counts"]["extracted"]) == ("Completed", 4)


def test_a_list_that_is_gone_names_the_alternatives(run, synsets, site):
    from storage.errors import SourceMissing

    site.files.clear()
    with pytest.raises(SourceMissing, match="fall-2011"):
        run(synsets)


def test_private_addresses_are_refused_unless_allowed(run, synsets):
    from storage.errors import SourceError

    source = synsets.source.model_copy(update={"allow_private_addresses": False})
    with pytest.raises(SourceError):
        run(synsets.model_copy(update={"source": source}))
