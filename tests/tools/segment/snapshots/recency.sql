SELECT
  "t5"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t3"."customer_id"
      FROM (
        SELECT
          "t2"."customer_id",
          MAX("t2"."occurred_at") AS "t"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."occurred_at"
          FROM "events" AS "t1"
          WHERE
            "t1"."name" = 'login'
            AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
        ) AS "t2"
        GROUP BY
          1
      ) AS "t3"
      WHERE
        "t3"."t" < MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 0.0)
    )
) AS "t5"
