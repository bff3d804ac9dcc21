"""What CleanVision calls odd in a folder: `python cleanvision_issues.py FOLDER`, a JSON object.

Runs in an environment of its own (`pip install cleanvision==0.3.7`): kind -> names of files.
"""

import json
import sys
from pathlib import Path

from cleanvision import Imagelab

KINDS = {
    "is_dark_issue": "dark",
    "is_light_issue": "bright",
    "is_blurry_issue": "blurred",
    "is_low_information_issue": "nearly empty",
    "is_odd_aspect_ratio_issue": "odd shape",
    "is_grayscale_issue": "grey among colours",
}

folder = Path(sys.argv[1]).resolve()
lab = Imagelab(data_path=str(folder))
lab.find_issues(
    {name.removeprefix("is_").removesuffix("_issue"): {} for name in KINDS}, verbose=False
)
found = {
    kind: [
        Path(name).relative_to(folder).as_posix() for name in lab.issues.index[lab.issues[column]]
    ]
    for column, kind in KINDS.items()
}
print(json.dumps(found))
