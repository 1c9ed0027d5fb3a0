"""The Models page: what can analyse clips, what fits this computer, and what analyses them now."""
