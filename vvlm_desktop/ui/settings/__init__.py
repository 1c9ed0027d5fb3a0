"""The settings page, generated from the fields of the settings."""
