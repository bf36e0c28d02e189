"""The task `ranking`: ordered lists of recommended items against the items a user took."""
