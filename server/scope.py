"""Whose customers a proposal is about: the branches of its audience, so that a branch sees its own proposals only."""

import pyarrow as pa

from control.records import ProposalRecord
from server.stores import Stores

NOWHERE = -1
"""Stands for customers of no branch, and for an audience that nobody can tell: only head office sees those."""


def audience_branches(stores: Stores, record: ProposalRecord) -> frozenset[int]:
    """The branches of the audience at submission. A payload never changes, so neither does the answer."""
    known = stores.audience_branches.get(record.digest)
    if known is None:
        known = stores.audience_branches[record.digest] = _look(stores, record)
    return known


def _look(stores: Stores, record: ProposalRecord) -> frozenset[int]:
    from tools.proposal import pack, unpack

    audience = record.payload.get("audience", {})
    ids = unpack(audience.get("ids") or pack([]))
    if not len(ids):
        return frozenset(audience.get("branches") or (NOWHERE,))
    with stores.warehouse.overlay() as con:
        con.register("proposed_ids", pa.table({"customer_id": ids}))
        rows = con.execute(
            "SELECT DISTINCT branch_id FROM customers SEMI JOIN proposed_ids USING (customer_id)"
        ).fetchall()
        con.unregister("proposed_ids")
    return frozenset(NOWHERE if row[0] is None else int(row[0]) for row in rows) or frozenset((NOWHERE,))
