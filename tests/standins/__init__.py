"""Servers on this computer that stand in for those of others."""
