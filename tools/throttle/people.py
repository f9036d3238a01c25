"""One-ID: customer numbers that belong to one person, and which of them a campaign contacts.

Customers who share a phone or identity-card HMAC (directly or through others) are one person. Among the candidates of
one touch the person is represented by one customer number; the others are duplicates. A number is also a duplicate when
another number of the same person has already been touched by the same campaign. Suppression is judged after this, so a
person whose representative has refused is not reached through another number.
"""

from datetime import datetime

import duckdb

from tools.throttle.caps import Past, counted_touches
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params, execute, relation, temp_name


def persons(con: duckdb.DuckDBPyConnection, policy: ThrottlePolicy) -> str:
    """TEMP table (customer_id, person): only customers who share an identity; person is the lowest number of the group."""
    shared, table = temp_name("shared"), temp_name("persons")
    params = Params()
    kinds = params.all(policy.identity.kinds)
    # Hashes first: grouping the values themselves, nearly all of them unshared, takes half as long again.
    execute(
        con,
        f"""CREATE TEMP TABLE {shared} AS
            WITH mine AS (SELECT hash(kind, value_hmac) AS hashed, kind, value_hmac, customer_id FROM identities
                          WHERE kind IN ({kinds})),
            alike AS (SELECT kind, value_hmac, customer_id FROM mine SEMI JOIN
                        (SELECT hashed FROM mine GROUP BY 1 HAVING count(*) > 1) USING (hashed))
            SELECT DISTINCT i.kind || ':' || i.value_hmac AS identity, i.customer_id FROM alike i
            SEMI JOIN (SELECT kind, value_hmac FROM alike GROUP BY ALL HAVING min(customer_id) < max(customer_id)) g
            ON i.kind = g.kind AND i.value_hmac = g.value_hmac""",
        params,
    )
    con.execute(f"CREATE TEMP TABLE {table} AS SELECT customer_id, min(customer_id) AS person FROM {shared} GROUP BY 1")
    while True:
        # Groups that touch each other take the lowest person of both, until nothing changes.
        changed = con.execute(
            f"""UPDATE {table} t SET person = n.person FROM (
                  SELECT s.customer_id, min(g.person) AS person FROM {shared} s JOIN (
                    SELECT identity, min(person) AS person FROM {shared} JOIN {table} USING (customer_id) GROUP BY 1
                  ) g USING (identity) GROUP BY 1) n
                WHERE n.customer_id = t.customer_id AND n.person < t.person"""
        ).fetchall()[0][0]
        if not changed:
            break
    con.execute(f"DROP TABLE {shared}")
    return table


def duplicates(
    con: duckdb.DuckDBPyConnection,
    candidates: str,
    instant: datetime,
    policy: ThrottlePolicy,
    past: Past,
) -> str:
    """TEMP table (campaign_id, node_id, customer_id) of the candidates that are not their person's one."""
    people, table = persons(con, policy), temp_name("duplicates")
    first = "k.aum DESC NULLS LAST, c.customer_id" if policy.identity.keep == "most_aum" else "c.customer_id"
    params = Params()
    touched = counted_touches(policy, past, params, instant)
    execute(
        con,
        f"""CREATE TEMP TABLE {table} AS
            WITH mine AS (
              SELECT c.campaign_id, c.node_id, c.customer_id, p.person,
                     first_value(c.customer_id) OVER (
                       PARTITION BY c.campaign_id, c.node_id, p.person ORDER BY {first}) AS chosen
              FROM {relation(candidates)} c JOIN {people} p USING (customer_id)
              LEFT JOIN customers k USING (customer_id)),
            reached AS (
              SELECT DISTINCT t.campaign_id, t.customer_id, p.person FROM ({touched}) t JOIN {people} p USING (customer_id))
            SELECT DISTINCT campaign_id, node_id, customer_id FROM mine m
            WHERE m.customer_id <> chosen OR EXISTS (FROM reached r WHERE r.campaign_id = m.campaign_id AND r.person = m.person
                                       AND r.customer_id <> m.customer_id)""",
        params,
    )
    con.execute(f"DROP TABLE {people}")
    return table
