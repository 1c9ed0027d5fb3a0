"""Plain data and rules: label schema, clip, analysis, review events and their fold, prompt. No I/O, no Qt."""
