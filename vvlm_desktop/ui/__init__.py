"""The window: pages, actions and look. Imports nothing heavy until a page asks for it."""
