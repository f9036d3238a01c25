SELECT
  "t4"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t2"."customer_id"
      FROM (
        SELECT
          "t1"."customer_id",
          "t1"."occurred_at",
          CASE
            WHEN JSON_TYPE("t1"."properties" -> '$.page') = 'VARCHAR'
            THEN (
              "t1"."properties" -> '$.page'
            ) ->> '$'
            ELSE NULL
          END AS "p_page",
          CASE
            WHEN JSON_TYPE("t1"."properties" -> '$.seconds') IN ('UBIGINT', 'BIGINT', 'DOUBLE')
            THEN CAST("t1"."properties" -> '$.seconds' AS DOUBLE)
            ELSE NULL
          END AS "p_seconds"
        FROM "events" AS "t1"
        WHERE
          "t1"."name" = 'close_page'
          AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
      ) AS "t2"
      WHERE
        "t2"."p_seconds" > 5 AND "t2"."p_page" = 'home'
    )
) AS "t4"
