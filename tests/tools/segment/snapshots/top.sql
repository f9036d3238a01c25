SELECT
  "t4"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."is_payroll"
    AND "t0"."customer_id" IN (
      SELECT
        "t2"."customer_id"
      FROM (
        SELECT
          *
        FROM "customers" AS "t0"
        WHERE
          "t0"."is_payroll" AND "t0"."aum" IS NOT NULL
        ORDER BY
          "t0"."aum" DESC,
          "t0"."customer_id" ASC
        LIMIT 1000
      ) AS "t2"
    )
) AS "t4"
