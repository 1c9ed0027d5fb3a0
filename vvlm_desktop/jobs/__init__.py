"""Child processes and what they share: no Qt, no models."""
