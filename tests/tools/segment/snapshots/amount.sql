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
          COALESCE(SUM("t2"."p_amount"), 0) AS "v"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."occurred_at",
            "t1"."amount" AS "p_amount"
          FROM "events" AS "t1"
          WHERE
            "t1"."name" = 'pay'
            AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
            AND "t1"."occurred_at" >= MAKE_TIMESTAMP(2026, 9, 30, 16, 0, 0.0)
            AND "t1"."occurred_at" < MAKE_TIMESTAMP(2026, 10, 31, 16, 0, 0.0)
        ) AS "t2"
        GROUP BY
          1
      ) AS "t3"
      WHERE
        "t3"."v" > 1000
    )
) AS "t5"
