"""Features of 4,000 pictures: VGG16's in bf16 and float32, Lite0's, beside two plain scripts.

VGG16's peer is a Keras script that decodes with Pillow and predicts batch by batch, timed without
its imports; EfficientNetLite0's is one that uses OpenVINO (peers/plain_openvino.py), timed with
them. All read the same pictures in the same run; ours is timed as the whole step `extract`, the
loading of libraries and weights included. Needs the pictures and the first peer beside the project.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from statistics import mean

from benchmarks.measuring import FOLDER, SHARED, run, write
from tasks.features.precision import resolve

# Fewer pictures for a quick look: BENCHMARK_PICTURES=1000 takes a quarter of the time.
PICTURES = int(os.environ.get("BENCHMARK_PICTURES", "4000"))
COUNTS = {"train": PICTURES // 4, "validation": PICTURES // 8, "test": PICTURES // 8}
ARCHIVE = SHARED / "data" / "dogs-vs-cats" / "dogs-vs-cats.zip"
PEER = SHARED / "peers" / "keras_generator_features.py"
OPENVINO_PEER = FOLDER / "peers" / "plain_openvino.py"
DARKROOM = [sys.executable, "-m", "flows", "run"]
VGG16, LITE = "cats-and-dogs-small", "cats-and-dogs-lite"
SAVE_WEIGHTS = """
import sys
from tasks.features.weights import load_vgg16
from tasks.running.tensorflow import load_keras
base = load_keras().applications.VGG16(weights=None, include_top=False, input_shape=(180, 180, 3))
load_vgg16(base, None)
base.save_weights(sys.argv[1])
"""
SAVE_NETWORK = """
import sys
from tasks.features.openvino_network import lite
from tasks.running.openvino import load_openvino
network = lite("EfficientNetLite0", 224, "lite", None, None)
load_openvino().save_model(network, sys.argv[1], compress_to_fp16=False)
"""


def ours(home: Path, precision: str, experiment: str = VGG16) -> dict[str, float]:
    """Pictures per second and peak memory of the step `extract` in this precision."""
    words = ["--set", f"source.archive={ARCHIVE}", "--set", f"model.precision={precision}"]
    words += ["--set", f"split.counts={json.dumps(COUNTS)}"]
    command = [*DARKROOM, experiment, *words]
    run([*command, "--until", "split"], DARKROOM_HOME=str(home))
    done = run([*command, "--until", "extract", "--json"], DARKROOM_HOME=str(home))
    result = json.loads(done.output.strip().splitlines()[-1])
    images = result["counts"]["extracted"]
    seconds = result["steps"][-1]["seconds"]
    return {
        "images": images,
        "seconds": seconds,
        "images_per_second": round(images / seconds, 1),
        "peak_megabytes": round(done.peak_megabytes),
    }


def peer(home: Path, scratch: Path) -> dict[str, float]:
    """The same of the peer, on the folder tree of the same split."""
    weights = scratch / "vgg16.weights.h5"
    run([sys.executable, "-c", SAVE_WEIGHTS, str(weights)])
    return timed([str(PEER), str(tree_of(home)), str(weights), str(scratch / "out.npz")])


def openvino_peer(home: Path, scratch: Path) -> dict[str, float]:
    """The same of the plain script with OpenVINO."""
    network = scratch / "lite0.xml"
    run([sys.executable, "-c", SAVE_NETWORK, str(network)])
    return timed([str(OPENVINO_PEER), str(network), str(tree_of(home)), str(scratch / "out.npy")])


def tree_of(home: Path) -> Path:
    """The folder tree of the split."""
    (tree,) = (path for path in (home / "splits").iterdir() if path.name != "lineage")
    return tree


def timed(script: list[str]) -> dict[str, float]:
    """What a script says of its own speed, and its peak memory."""
    done = run([sys.executable, *script])
    found = re.search(r"images=(\d+) seconds=([\d.]+) images_per_second=([\d.]+)", done.output)
    assert found is not None, done.output
    return {
        "images": int(found[1]),
        "seconds": float(found[2]),
        "images_per_second": float(found[3]),
        "peak_megabytes": round(done.peak_megabytes),
    }


def main() -> None:
    """Measure, and write down the ratios."""
    if not ARCHIVE.exists() or not PEER.exists():
        print(f"skipped: needs {ARCHIVE} and {PEER}")
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        results = {"float32": ours(home, "float32"), "peer": peer(home, Path(folder))}
        if resolve("auto") == "bfloat16":
            results["bfloat16"] = ours(home, "bfloat16")
        lite = ours(home, "auto", LITE)
        plain = openvino_peer(home, Path(folder))
        again = ours(Path(folder) / "again", "auto", LITE)
        plain_again = openvino_peer(home, Path(folder))
    rate = results["peer"]["images_per_second"]
    for result in results.values():
        result["times_the_peer"] = round(result["images_per_second"] / rate, 2)
    best = results.get("bfloat16", results["float32"])["images_per_second"]
    light = mean([lite["images_per_second"], again["images_per_second"]])
    results["lite0"] = lite | {
        "again_images_per_second": again["images_per_second"],
        "times_vgg16": round(light / best, 2),
    }
    results["plain_openvino"] = plain | {
        "again_images_per_second": plain_again["images_per_second"],
        "lite0_times_this": round(
            light / mean([plain["images_per_second"], plain_again["images_per_second"]]), 2
        ),
    }
    write("extraction", results)


if __name__ == "__main__":
    main()
