SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  SUBSTRING(
    MD5('wave-a:' || CAST("t0"."customer_id" AS TEXT)),
    CASE
      WHEN (
        0 + 1
      ) >= 1
      THEN 0 + 1
      ELSE 0 + 1 + LENGTH(MD5('wave-a:' || CAST("t0"."customer_id" AS TEXT)))
    END,
    8
  ) < '0ccccccd'
