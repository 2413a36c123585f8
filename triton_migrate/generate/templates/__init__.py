"""Takes a template's name and what it asks for, gives text. Templates are layout; every decision is made by the caller."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

_environment = Environment(
    loader=PackageLoader("triton_migrate.generate", "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # Python, Markdown, YAML: no HTML among them
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(name: str, **values: object) -> str:
    return _environment.get_template(f"{name}.jinja").render(values)
