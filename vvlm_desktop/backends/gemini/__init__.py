"""Gemini: clips go to Google, after somebody agreed, and are deleted there again."""
