"""The sample clips and the road simulator that makes them, and any number of other clips, with their truth."""

from vvlm_desktop.samples.make import SAMPLES, Sample, SampleSpec, make_samples
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.scripts import MODEL_NAME
from vvlm_desktop.samples.simulate import simulate
from vvlm_desktop.samples.truth import EventTruth, FrameTruth, Truth, read_truth

__all__ = [
    "MODEL_NAME",
    "SAMPLES",
    "EventTruth",
    "FrameTruth",
    "Sample",
    "SampleSpec",
    "Scenario",
    "Truth",
    "make_samples",
    "read_truth",
    "simulate",
]
