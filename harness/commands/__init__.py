"""The commands of `python -m harness`, one a file: its docstring is its help."""
