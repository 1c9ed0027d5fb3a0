"""Each training collects garbage several times; what the libraries keep for good need not be looked through again."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def _libraries_out_of_the_way() -> Iterator[None]:
    import training.tuning  # noqa: F401 - transformers and peft, before everything is frozen

    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
