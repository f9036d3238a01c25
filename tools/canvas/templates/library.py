"""The templates there are: the YAML files beside this module, read once."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from tools.canvas.files import load
from tools.canvas.templates.schema import Template
from warehouse.catalog import fold, nearest
from warehouse.errors import DeveloperFixes, NotFound

FOLDER = Path(__file__).with_name("library")


@cache
def templates() -> tuple[Template, ...]:
    """All of them, by id.

    Raises:
        DeveloperFixes: a file does not fit.
    """
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            found.append(Template.model_validate(load(path.read_text("utf-8"))))
        except (yaml.YAMLError, ValidationError) as problem:
            raise DeveloperFixes(f"The template {path.name} does not fit: {problem}") from problem
    return tuple(found)


def by_id(id_or_name: str) -> Template:
    """The template of an id, a title or one of its names, in either language.

    Raises:
        NotFound: there is none; the message names the nearest, or all.
    """
    wanted = fold(id_or_name).strip()
    found = named().get(wanted)
    if found is None:
        near = nearest(wanted, named())
        listed = list(dict.fromkeys(named()[name].id for name in near)) or [t.id for t in templates()]
        raise NotFound(
            f"There is no template {id_or_name!r}.",
            f"Use one of: {', '.join(listed)}.",
            message_zh=f"没有模板“{id_or_name}”。",
            fix_zh=f"可用：{'、'.join(listed)}。",
            nearest=listed,
        )
    return found


@cache
def named() -> dict[str, Template]:
    """Everything a template is called, folded → it. A name belongs to one template only.

    Raises:
        DeveloperFixes: two templates share a name.
    """
    found: dict[str, Template] = {}
    for template in templates():
        names = (template.id, template.title.zh, template.title.en, *template.names.zh, *template.names.en)
        for name in (fold(n) for n in names):
            if found.setdefault(name, template) is not template:
                raise DeveloperFixes(f"{found[name].id} and {template.id} are both called {name!r}.")
    return found
