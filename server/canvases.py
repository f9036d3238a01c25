"""The canvas part of a workspace: check, dry-run, draw, read."""

from typing import TYPE_CHECKING

from server.access import needs
from server.contact import Contact
from server.schema import (
    CanvasAsked,
    CanvasChange,
    CanvasCheck,
    CanvasDiff,
    CanvasHistory,
    CanvasVersion,
    CanvasView,
    DiffAsked,
    Drawing,
    DryRun,
    DryRunAsked,
    Finding,
)
from warehouse.catalog import Language
from warehouse.errors import ModelRetry

if TYPE_CHECKING:
    from tools.canvas import Canvas
    from tools.canvas.facts import Facts
    from tools.canvas.findings import Finding as Found


class Canvases(Contact):
    @needs("read")
    def canvas(self, canvas_id: str, version: int | None = None) -> CanvasView:
        """A saved canvas; the latest version unless told otherwise.

        Raises:
            NotFound: there is none, or not this version.
        """
        from tools.canvas.files import to_yaml

        record = self.stores.records.canvas(canvas_id, version)
        return CanvasView(
            id=record.id,
            version=record.version,
            name=record.name,
            document=record.document,
            text=to_yaml(record.document),
            created_by=record.account,
            created_at=record.created_at,
            versions=[v.version for v in self.stores.records.canvas_versions(canvas_id)],
        )

    @needs("read")
    def canvas_check(self, asked: CanvasAsked) -> CanvasCheck:
        """What is wrong or doubtful, errors first, each with its place and what mends it."""
        from tools.canvas.check import check

        canvas = self._asked(asked)
        found = check(canvas, self.stores.catalog, self._facts(canvas))
        return CanvasCheck(
            name=canvas.name,
            ok=not any(f.severity == "error" for f in found),
            findings=[shown_finding(f, asked.language) for f in found],
        )

    @needs("read")
    def canvas_dry_run(self, asked: DryRunAsked) -> DryRun:
        """The same engine on past data with a simulated clock. History, not a forecast; nothing is sent.

        Raises:
            ModelRetry: the canvas has errors, or the start is not before the data cut-off.
        """
        from tools.canvas.check import check
        from tools.canvas.dry_run import dry_run

        canvas = self._asked(asked)
        errors = [f for f in check(canvas, self.stores.catalog, self._facts(canvas)) if f.severity == "error"]
        if errors:
            first = errors[0]
            raise ModelRetry(
                f"The canvas has {len(errors)} error(s). {first.place}: {first.message(asked.language)}",
                first.fix(asked.language) + " See `touchline canvas check`.",
            )
        start = self.instant(asked.start) if asked.start else None
        found = dry_run(canvas, self._segments(), self._policy(), start)
        document = found.model_dump(mode="json", exclude={"evidence"})
        for node in document["nodes"]:
            for name in ("entered", "held_out", "capped", "deferred", "abandoned", "sent", "passed", "goal", "waiting"):
                node[name] = self.shown(node[name])
        for arm in document["aftermath"]:
            arm |= {"customers": self.shown(arm["customers"]), "reached_goal": self.shown(arm["reached_goal"])}
        return DryRun.model_validate(document)

    def _facts(self, canvas: "Canvas") -> "Facts":
        """What a check may know of this bank: products, benefits, audience, contact policy, costs, templates, clock."""
        from tools.canvas.costs import Costs
        from tools.canvas.facts import Facts, facts_of
        from tools.canvas.templates import heads_of

        known = Facts(
            bank=self.stores.info.name,
            policy=self._policy(),
            costs=Costs.load(self.stores.home),
            start=self.stores.clock.now(),
            heads=heads_of(canvas),
        )
        return facts_of(self._segments(), canvas, known)

    @needs("read")
    def canvas_history(self, canvas_id: str, language: Language = "zh") -> CanvasHistory:
        """Every version, the oldest first, with what it changed.

        Raises:
            NotFound: there is no such canvas.
        """
        from tools.canvas import Canvas, difference

        versions: list[CanvasVersion] = []
        before: Canvas | None = None
        for record in self.stores.records.canvas_versions(canvas_id):
            canvas = Canvas.model_validate(record.document)
            changes = difference(before, canvas) if before is not None else []
            versions.append(
                CanvasVersion(
                    version=record.version,
                    name=record.name,
                    created_by=record.account,
                    created_at=record.created_at,
                    changes=[change.of(language) for change in changes],
                )
            )
            before = canvas
        return CanvasHistory(id=canvas_id, versions=versions)

    @needs("read")
    def canvas_diff(self, asked: DiffAsked) -> CanvasDiff:
        """What differs, in words and as a picture.

        Raises:
            ModelRetry: one of the two is no canvas.
        """
        from tools.canvas import difference
        from tools.canvas.diff_draw import draw_difference

        before, after = self._asked(asked.before), self._asked(asked.after)
        return CanvasDiff(
            changes=[
                CanvasChange(place=change.place, kind=change.kind, words=change.of(asked.language))
                for change in difference(before, after)
            ],
            dot=draw_difference(before, after, asked.language, self.stores.catalog),
        )

    @needs("read")
    def canvas_draw(self, asked: CanvasAsked) -> Drawing:
        """The canvas as Graphviz DOT."""
        from tools.canvas.draw import draw

        canvas = self._asked(asked)
        return Drawing(name=canvas.name, dot=draw(canvas, asked.language, catalog=self.stores.catalog))

    def _asked(self, asked: CanvasAsked) -> "Canvas":
        """What was asked about: a saved canvas, or a file's text.

        Raises:
            ModelRetry: neither or both are given, or the text is no canvas; the message names the places.
        """
        from tools.canvas import Canvas
        from tools.canvas.files import from_yaml

        if (asked.canvas is None) == (asked.document is None):
            raise ModelRetry("Name a saved canvas or send a document; one of the two.", "See docs/api.md.")
        if asked.canvas is not None:
            id_, _, version = asked.canvas.partition("@")
            record = self.stores.records.canvas(id_, int(version) if version else None)
            return Canvas.model_validate(record.document)
        return from_yaml(asked.document or "")


def shown_finding(finding: "Found", language: Language) -> Finding:
    """A finding in one language."""
    return Finding(
        code=finding.code,
        place=finding.place,
        severity=finding.severity,
        message=finding.message(language),
        fix=finding.fix(language),
    )
