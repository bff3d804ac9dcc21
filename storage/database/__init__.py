"""What several machines agree on in PostgreSQL (extra `postgres`): locks, and the ledger."""
