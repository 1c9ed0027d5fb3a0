"""Frames: index, exact reader, cache, sampling, thumbnails, curves. No Qt, no database."""
