"""Fine-tuning on exported corrections: its own package and command line; no Qt, no database."""
