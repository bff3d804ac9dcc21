"""The server as a process: how it stops, and how much memory it takes."""

import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from flows.serve import serve
from storage import atomic
from storage.errors import ParameterError
from storage.folders import CLASSES, MODEL
from tasks.running.tensorflow import load_keras
from tasks.serve.app import create_app
from tasks.serve.limits import Limits
from tasks.serve.listening import listen, listening_socket
from tests.pictures import picture
from tests.project import PROJECT
from tests.tasks.serve.running import SIDE, parsed
from tests.tasks.serve.test_serve import head, pieces, until

SERVE = (
    "import sys; from flows.serve import serve; serve(model=sys.argv[1], port=0, max_bytes=2**20)"
)
MIB = 2**20


@pytest.fixture
def process(model_folder):
    """The running server and its address."""
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(model_folder)],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with child:
        try:
            first = child.stdout.readline()
            child.url = re.match(r"(http://127\.0\.0\.1:\d+)/ answers", first)[1]
            child.port = int(child.url.rpartition(":")[2])
            assert requests.get(f"{child.url}/health", timeout=60).ok
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_in_flight_is_answered_before_the_server_stops(process, number):
    data = picture(1)
    with socket.create_connection(("127.0.0.1", process.port), timeout=60) as line:
        line.sendall(head(len(data)) + data[:100])
        until(lambda: requests.get(f"{process.url}/health", timeout=60).json()["waiting"] == 1)
        process.send_signal(number)
        until(lambda: not accepts(process.port))
        line.sendall(data[100:])
        code, _, said = parsed(b"".join(iter(lambda: line.recv(65536), b"")))
    assert code == 200
    assert said["label"]
    assert process.wait(60) == (0 if number == signal.SIGINT else -signal.SIGTERM)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionError:
        return False
    return True


def test_memory_stays_bounded_whatever_clients_send(process):
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc to read a process's peak memory")

    def peak():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024

    def large(_number):
        answer = requests.post(
            f"{process.url}/predict",
            data=pieces(50 * MIB),
            headers={"Content-Type": "image/jpeg"},
            timeout=60,
        )
        return answer.status_code

    def good(number):
        answer = requests.post(
            f"{process.url}/predict", files={"file": picture(number, (640, 480))}, timeout=60
        )
        return answer.status_code

    with ThreadPoolExecutor(16) as clients:
        assert set(clients.map(good, range(64))) == {200}
        before = peak()
        # 1,600 MiB arrive; of each request one limit, a chunk and a copy are held.
        assert set(clients.map(large, range(32))) == {413}
    assert peak() - before < 100 * MIB
    assert good(1) == 200


def test_an_address_that_is_taken_is_said_so(process):
    with pytest.raises(ParameterError, match=rf"127\.0\.0\.1 port {process.port}"):
        listening_socket("127.0.0.1", process.port)
    # It is said before anything else is looked at, such as a model that is nowhere.
    with pytest.raises(ParameterError, match="a free address"):
        serve(model="nowhere", port=process.port)
    for host, port in (("127.0.0.1", 99_999), ("256.1.1.1", 0)):
        with pytest.raises(ParameterError):
            listening_socket(host, port)


@pytest.fixture
def failing_model(tmp_path):
    """A model that is loaded without a complaint, and fails at whatever picture it is given."""
    keras = load_keras()
    given = keras.Input((None, None, 3))
    means = keras.layers.GlobalAveragePooling2D()(keras.ops.image.resize(given, (SIDE, SIDE)))
    torn = keras.layers.Reshape((3,))(given)  # as if every picture had one pixel
    keras.Model(given, keras.layers.Add()([means, torn])).save(tmp_path / MODEL)
    atomic.write_json(tmp_path / CLASSES, list("abc"))
    return tmp_path


def test_a_model_that_fails_ends_in_one_line_of_its_own_and_is_never_said_to_answer(failing_model):
    ended = subprocess.run(
        [sys.executable, "-m", "flows", "serve", str(failing_model), "--port", "0"],
        cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout == ""
    *log, last = ended.stderr.splitlines()
    assert last.startswith("darkroom: expected a model that can classify")
    assert all(line.startswith("INFO:") for line in log)


TORN = """
import contextlib
from fastapi import FastAPI
from storage.errors import DarkroomError
from tasks.serve.limits import Limits
from tasks.serve.listening import listen, listening_socket
from tasks.serve.service import Service
@contextlib.asynccontextmanager
async def torn(_app):
    raise RuntimeError("no disk")
    yield
app = FastAPI(lifespan=torn)
app.state.service = Service(None, Limits())
try:
    listen(app, Limits(), listening_socket("127.0.0.1", 0))
except DarkroomError as error:
    print("said:", error)
"""


def test_an_application_that_does_not_start_is_never_said_to_answer():
    # In a process of its own: uvicorn takes over signals and logging of the one it runs in.
    ended = subprocess.run(
        [sys.executable, "-c", TORN],
        cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert ended.stdout.startswith("said: expected the server to start")
    assert "answers" not in ended.stdout


SLOW = """
import sys, threading
from tasks.classify.classifier import Classifier
import flows.serve
real, go = Classifier.open, threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), go.set()), daemon=True).start()
Classifier.open = lambda file, **how: go.wait() and real(file, **how)
flows.serve.serve(model=sys.argv[1], port=int(sys.argv[2]))
"""


def test_while_the_model_is_loaded_health_says_so_and_requests_are_put_off(model_folder):
    with listening_socket("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(model_folder), str(port)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with child:
        try:
            until(lambda: accepts(port))
            health = requests.get(f"{url}/health", timeout=60)
            assert (health.status_code, health.json()) == (
                503, {"ready": False, "state": "loading", "waiting": 0},
            )  # fmt: skip
            early = requests.post(f"{url}/predict", files={"file": picture(1)}, timeout=60)
            assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
            assert early.json() == {"detail": "the model is being loaded: try again"}
            assert requests.get(f"{url}/card", timeout=60).status_code == 503
            child.stdin.write("go\n")
            child.stdin.flush()
            until(lambda: child.stdout.readline().startswith(f"{url}/ answers"))
            assert requests.get(f"{url}/health", timeout=60).json()["state"] == "ready"
        finally:
            child.kill()


def test_whatever_keeps_the_model_from_loading_ends_the_server():
    def torn():
        raise RuntimeError("torn")

    limits = Limits()
    with listening_socket("127.0.0.1", 0) as bound, pytest.raises(RuntimeError, match="torn"):
        listen(create_app(torn, limits), limits, bound)
