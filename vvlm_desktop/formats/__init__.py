"""One module per external format; both directions where both make sense. No store, no workflow, no Qt."""
