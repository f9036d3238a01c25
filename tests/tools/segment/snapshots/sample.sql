SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  MD5('wave-a:' || CAST("t0"."customer_id" AS TEXT)) < '0ccccccd'
