"""The task `click`: scores of the candidates of an impression against the clicks."""
