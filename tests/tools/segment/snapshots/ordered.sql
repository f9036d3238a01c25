SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  "t0"."tier" IN ('wealth', 'private')
