SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  "t0"."last_login_at" < MAKE_TIMESTAMP(2026, 11, 1, 16, 0, 0.0)
  AND DATE_DIFF(
    'DAY',
    CAST("t0"."last_login_at" + INTERVAL '480' MINUTE AS DATE),
    MAKE_DATE(2026, 11, 18)
  ) >= 17
