"""Where bytes live. Nothing in this room imports prefect, tensorflow, tasks or flows."""
