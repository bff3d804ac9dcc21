"""Going through a source again: what counts it, and which sources can be."""

import pytest

from storage.errors import ParameterError
from tasks.acquire import kinds
from tasks.acquire.kinds import begin_visit
from tasks.acquire.kinds.archive import require_revisitable
from tasks.acquire.parameters import Archive, Synsets


def test_a_visit_is_counted_and_leaves_the_fingerprint_of_a_run_under_way(tmp_path, workspace):
    lists = tmp_path / "n04194289.txt"
    lists.write_text("http://127.0.0.1/1.jpg")
    source = Synsets(synsets={"ship": "n04194289"}, url_list=str(tmp_path / "{wnid}.txt"))
    before = kinds.fingerprint(workspace, source)
    assert kinds.visits(workspace, source) == 0
    begin_visit(workspace, source)
    assert kinds.visits(workspace, source) == 1
    assert kinds.fingerprint(workspace, source) == before
    lists.write_text("http://127.0.0.1/2.jpg")
    assert kinds.fingerprint(workspace, source) != before


def test_what_kaggles_client_keeps_cannot_be_looked_at_again(tmp_path):
    source = Archive(archive=tmp_path / "a.zip", kaggle="datasets/somebody/birds")
    with pytest.raises(ParameterError, match="datasets/somebody/birds, which Kaggle's client"):
        require_revisitable(source)
    (tmp_path / "a.zip").write_bytes(b"")
    require_revisitable(source)
