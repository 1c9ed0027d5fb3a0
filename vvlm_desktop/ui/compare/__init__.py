"""The Compare page: two answers about the same clips, side by side, with what people said as the truth."""
