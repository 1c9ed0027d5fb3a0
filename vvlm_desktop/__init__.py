"""VVLM Desktop: review dashcam clips, correct a video model's answers, and learn from the corrections."""

__version__ = "0.1.0"
