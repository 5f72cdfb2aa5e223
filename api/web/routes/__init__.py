"""One file per resource of /api/v1."""
