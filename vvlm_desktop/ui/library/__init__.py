"""The library page: every clip there is, found, sorted, added and analysed."""
