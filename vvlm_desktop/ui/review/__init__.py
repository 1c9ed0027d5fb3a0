"""The page people live in: player, timeline, form, queue."""
