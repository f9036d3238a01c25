SELECT
  "t8"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t5"."customer_id"
      FROM (
        SELECT
          "t3"."customer_id",
          COUNT(DISTINCT "t3"."p_day") AS "v"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."occurred_at",
            CAST("t1"."occurred_at" + INTERVAL '480' MINUTE AS DATE) AS "p_day"
          FROM "events" AS "t1"
          WHERE
            "t1"."name" = 'login'
            AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
            AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 0.0)
        ) AS "t3"
        GROUP BY
          1
      ) AS "t5"
      WHERE
        "t5"."v" >= 5
    )
    AND "t0"."customer_id" IN (
      SELECT
        "t4"."customer_id"
      FROM (
        SELECT
          "t2"."customer_id",
          MIN("t2"."occurred_at") AS "t"
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
      ) AS "t4"
      WHERE
        "t4"."t" >= MAKE_TIMESTAMP(2025, 11, 18, 1, 0, 0.0)
    )
) AS "t8"
