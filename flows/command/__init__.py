"""The `darkroom` command, a module per word: `darkroom run` is run.py."""
