"""The experiments, and what runs them elsewhere: containers and their composition."""
