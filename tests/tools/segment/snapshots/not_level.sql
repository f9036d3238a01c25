SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  NOT (
    COALESCE("t0"."risk_level" = 'R3', FALSE)
  )
