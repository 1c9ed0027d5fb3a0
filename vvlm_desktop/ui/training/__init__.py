"""The Training page: data, run, result."""
