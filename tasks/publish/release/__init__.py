"""From a report to a published model: the gate, its card, what Prefect's pages show."""
