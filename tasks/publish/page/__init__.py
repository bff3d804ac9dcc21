"""The pages that people read: of one run, over all runs, and two runs compared."""
