"""What `classify` does unless it is told otherwise, and what it can say."""

from typing import Literal

# Kaggle scores by log loss, which punishes a certain answer without bound where it is wrong.
CLIP = 0.005
# How a picture is among those that a model was trained on.
Known = Literal["", "same file", "copy"]
