"""The demo bank: a made-up regional bank whose customers behave, and whose past campaigns hide planted truths."""

from warehouse.demo_bank.build import AS_OF, Report, build, catalog

__all__ = ["AS_OF", "Report", "build", "catalog"]
