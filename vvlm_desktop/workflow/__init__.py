"""The use cases: add, analyse, review, export, import, doctor. Window and command line both call these; no Qt."""
