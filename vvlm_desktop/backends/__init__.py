"""Backends: what turns the frames of a clip into an analysis."""
