"""The documentation page of a declaration, in Markdown."""

from __future__ import annotations

from expectations.tables.base import Column, TableSpec


def document(spec: TableSpec) -> str:
    """A Markdown section about one table: why it is kept, its key, and a line for each column."""
    keys = [f"Key: {_names(spec.key)}."]
    keys += [f"Unique: {_names(columns)}." for columns in spec.unique]
    keys.append(f"At least {spec.min_rows} row{'' if spec.min_rows == 1 else 's'}.")
    lines = [
        f"## {spec.name}",
        "",
        spec.why,
        "",
        " ".join(keys),
        "",
        "| column | type | values | unit | why |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{c.name}` | {c.type}{' or null' if c.nullable else ''} | {_cell(_values(c))} | {_cell(c.unit)} | {_cell(c.why)} |"
        for c in spec.columns
    ]
    return "\n".join(lines) + "\n"


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _values(column: Column) -> str:
    """What a column may hold, in words."""
    said = [_range(column)]
    if column.dense:
        said = ["0 to rows - 1, each once"]
    if column.allowed:
        said.append("one of " + ", ".join(str(value) for value in column.allowed))
    if column.present:
        said.append("each of " + ", ".join(str(value) for value in column.present) + " occurs")
    if column.min_length is not None:
        said.append(f"at least {column.min_length} characters")
    if column.max_length is not None:
        said.append(f"at most {column.max_length} characters")
    if column.pattern is not None:
        said.append("not blank" if column.pattern == r"\S" else f"matches `{column.pattern}`")
    return "; ".join(part for part in said if part)


def _range(column: Column) -> str:
    bounds = []
    if column.above is not None:
        bounds.append(f"> {column.above:g}")
    if column.minimum is not None:
        bounds.append(f">= {_number(column.minimum)}")
    if column.maximum is not None:
        bounds.append(f"<= {_number(column.maximum)}")
    return ", ".join(bounds) or ("finite" if column.is_float else "")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
