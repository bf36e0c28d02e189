"""MovieLens dumps of every format to the tables interactions, items and users."""
