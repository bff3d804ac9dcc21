"""The command's parser: whoever errs by a letter is told the nearest right word."""

import argparse
import difflib
import re
from collections.abc import Sequence
from typing import Any, NoReturn

SETTING = re.compile(r"(?P<name>[a-z_]+(\.[a-z_]+)*)=")
CHOICES = re.compile(r"invalid choice: '(?P<found>[^']*)' \(choose from (?P<known>.*)\)")


class Words(argparse.ArgumentParser):
    """An argument parser whose complaints are one line and name what may have been meant."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {self._said(message)}\n")

    def _said(self, message: str) -> str:
        choice = CHOICES.search(message)
        if choice:
            known = re.findall(r"[\w-]+", choice["known"])
            close = difflib.get_close_matches(choice["found"], known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"
            return f"there is no {choice['found']!r} here: {hint}"
        return f"{message}; see `{self.prog} --help`"

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the parser's own, but what looks like a setting is told how to be one."""
        found, rest = super().parse_known_args(args, namespace)
        settings = [SETTING.match(word) for word in rest]
        if rest and settings[0]:
            self.error(f"{rest[0]!r} is a setting: write --set {rest[0]}")
        given = getattr(found, "settings", [])
        if rest and given and "=" not in given[-1]:
            self.error(f"--set takes NAME=VALUE: write --set {given[-1]}={rest[0]}")
        close = difflib.get_close_matches(rest[0], self._options(), n=1) if rest else []
        if close:
            self.error(f"there is no {rest[0]!r} here: did you mean {close[0]}?")
        return found, rest

    def _options(self) -> Sequence[str]:
        return [word for action in self._actions for word in action.option_strings]


class Version(argparse.Action):
    """Print which Darkroom this is, and exit; only then is it looked up."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Never returns."""
        from flows.version import version

        print(f"darkroom {version()}")  # noqa: T201 - what was asked for
        parser.exit(0)
