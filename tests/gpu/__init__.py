"""What needs an NVIDIA GPU: `pytest -m gpu -s tests/gpu`. Skipped with a sentence where there is none."""
