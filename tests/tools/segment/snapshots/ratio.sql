SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  (
    CAST("t0"."aum" AS DOUBLE) / NULLIF(CAST("t0"."aum_30d_ago" AS DOUBLE), 0)
  ) < 0.7
