"""Templates: canvases of head office with typed parameters, wordings in both languages, and parts that a branch may not change."""

from tools.canvas.templates.library import by_id, named, templates
from tools.canvas.templates.render import heads_of, instantiate, values_of
from tools.canvas.templates.schema import Parameter, Template, Value

__all__ = ["Parameter", "Template", "Value", "by_id", "heads_of", "instantiate", "named", "templates", "values_of"]
