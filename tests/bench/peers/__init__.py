"""What the player and the sampling are measured against, and the films on which all are measured."""
