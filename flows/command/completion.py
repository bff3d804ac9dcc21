"""`darkroom completion`: what completes the command's words in a shell."""

from cyclopts import App

from flows.command.options import Shell

app = App(name="completion", help_epilogue="")


@app.default
def completion(shell: Shell, /) -> None:
    """Print the completion of a shell.

    bash: darkroom completion bash > ~/.local/share/bash-completion/completions/darkroom
    """
    from flows.command.app import app as whole

    print(whole.generate_completion(shell=shell))
