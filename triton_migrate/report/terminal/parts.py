"""What the terminal's tables are made of.

Text from the scanned project is never Rich markup and never holds a control code: all of it goes through `text`.
"""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triton_migrate.report.visible import visible


def heading(text: str, console: Console) -> None:
    console.print()
    console.print(text, style="bold")


def pairs() -> Table:
    """A table of names and what is said of each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def value(value: object) -> str:
    """A compared value as JSON, cut where a whole body differs."""
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 120 else f"{written[:120]}…"


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def text(*parts: str, style: str = "") -> Text:
    return Text(visible("".join(parts)), style=style)
