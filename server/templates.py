"""The templates part of a workspace: what there is, and the canvas that one makes."""

from typing import TYPE_CHECKING

from server.access import needs
from server.canvases import Canvases, shown_finding
from server.schema import Choice, TemplateAsked, TemplateCanvas, TemplateParameter, TemplateView
from warehouse.catalog import Language

if TYPE_CHECKING:
    from tools.canvas.templates import Parameter, Template


class TemplateWork(Canvases):
    @needs("read")
    def templates(self, language: Language = "zh") -> list[TemplateView]:
        """Every template with its parameters; products and benefits are offered as this bank has them."""
        from tools.canvas.templates import templates

        return [
            TemplateView(
                id=template.id,
                version=template.version,
                title=template.title.of(language),
                description=template.description.of(language),
                names=list(template.names.zh if language == "zh" else template.names.en),
                playbook=template.playbook,
                parameters=[self._parameter(parameter, language) for parameter in template.parameters],
                locked=list(template.locked),
            )
            for template in templates()
        ]

    @needs("read")
    def template_canvas(self, template_id: str, asked: TemplateAsked) -> TemplateCanvas:
        """The canvas that a template makes of these parameters, checked and drawn; nothing is saved.

        Raises:
            NotFound: there is no such template.
            ModelRetry: a parameter does not fit.
        """
        from tools.canvas import check, draw, summary, to_yaml
        from tools.canvas.branches import entry_of
        from tools.canvas.templates import by_id, instantiate
        from tools.canvas.tool import max_touches, most_touches
        from tools.segment import resolve

        template = by_id(template_id)
        given = {name: value for name, value in asked.parameters.items() if value is not None}
        canvas = instantiate(template, given, asked.language, name=asked.name.strip())
        tree = resolve(entry_of(canvas).segment, self.stores.catalog, self.stores.records)
        counted = self._segments().count(tree, diagnose=False)
        canvas = canvas.model_copy(update={"max_touches": max_touches(counted.count, most_touches(canvas))})
        found = check(canvas, self.stores.catalog, self._facts(canvas))
        shown = self.shown(counted.count)
        return TemplateCanvas(
            name=canvas.name,
            text=to_yaml(canvas),
            dot=draw(canvas, asked.language, catalog=self.stores.catalog),
            summary=summary(canvas, self.stores.catalog, asked.language, shown if isinstance(shown, int) else None),
            audience=shown,
            ok=not any(f.severity == "error" for f in found),
            findings=[shown_finding(f, asked.language) for f in found],
            request=request_words(template, given, asked.language),
        )

    def _parameter(self, parameter: "Parameter", language: Language) -> TemplateParameter:
        return TemplateParameter(
            name=parameter.name,
            kind=parameter.kind,
            title=parameter.title.of(language),
            help=parameter.help.of(language),
            default=parameter.default,
            minimum=parameter.minimum,
            maximum=parameter.maximum,
            options=list(parameter.options),
            choices=self._choices(parameter),
        )

    def _choices(self, parameter: "Parameter") -> list[Choice]:
        """Products on sale today of the kinds that fit, or benefits valid today with stock."""
        today = self.stores.clock.now().astimezone(self.stores.clock.zone).date()
        if parameter.kind == "product":
            sql = """SELECT product_id, name || coalesce(' · ' || risk_level, '') FROM products
                     WHERE list_contains(?::VARCHAR[], kind) AND coalesce(on_sale_from, ?) <= ? AND coalesce(on_sale_to, ?) >= ?
                     ORDER BY 1"""
            rows = self.stores.warehouse.read(sql, [list(parameter.kinds), today, today, today, today]).rows
        elif parameter.kind == "benefit":
            sql = """SELECT benefit_id, name FROM benefits
                     WHERE coalesce(valid_from, ?) <= ? AND coalesce(valid_to, ?) >= ? AND coalesce(stock, 1) > 0
                     ORDER BY 1"""
            rows = self.stores.warehouse.read(sql, [today, today, today, today]).rows
        else:
            return []
        return [Choice(value=int(row[0]), label=str(row[1])) for row in rows]


def request_words(template: "Template", given: dict[str, str | int | float | bool], language: Language) -> str:
    """What to say in a conversation to draft the same canvas; values that are the defaults go without saying."""
    told = [
        (p.name, given[p.name]) for p in template.parameters if p.name in given and p.read(given[p.name]) != p.default
    ]
    pairs = [f"{name}={value}" for name, value in told]
    if language == "zh":
        return f"用{template.title.zh}模板出一套" + (f"：{'，'.join(pairs)}" if pairs else "")
    return f"Use the {template.title.en} template" + (f" with {', '.join(pairs)}" if pairs else "")
