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
          CAST(SUM("t2"."p_salary_amount") AS DOUBLE) / NULLIF(COUNT("t2"."p_salary_amount"), 0) AS "v"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."month",
            "t1"."salary_amount" AS "p_salary_amount"
          FROM "monthly" AS "t1"
          WHERE
            "t1"."month" < MAKE_DATE(2026, 11, 1)
            AND "t1"."month" >= MAKE_DATE(2026, 8, 1)
            AND "t1"."month" <= MAKE_DATE(2026, 10, 31)
        ) AS "t2"
        GROUP BY
          1
      ) AS "t3"
      WHERE
        "t3"."v" > 8000
    )
) AS "t5"
