"""What Prefect needs around a flow: a server, parameters, a version, and word of lost runs."""
