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
          MAX("t2"."p_aum_daily_avg") AS "v"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."month",
            "t1"."aum_daily_avg" AS "p_aum_daily_avg"
          FROM "monthly" AS "t1"
          WHERE
            "t1"."month" < MAKE_DATE(2026, 11, 1)
            AND "t1"."month" >= MAKE_DATE(2026, 10, 1)
            AND "t1"."month" <= MAKE_DATE(2026, 10, 31)
        ) AS "t2"
        GROUP BY
          1
      ) AS "t3"
      WHERE
        "t3"."v" >= CAST(450000.00 AS DECIMAL(18, 2))
        AND "t3"."v" <= CAST(500000.00 AS DECIMAL(18, 2))
    )
) AS "t5"
