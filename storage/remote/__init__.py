"""What several machines share: a bucket or a folder, laid out as a workspace."""
