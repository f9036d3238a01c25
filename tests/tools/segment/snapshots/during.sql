SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  "t0"."opened_on" BETWEEN MAKE_DATE(2026, 10, 1) AND MAKE_DATE(2026, 10, 31)
  OR (
    (
      "t0"."last_login_at" > MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
    )
    AND (
      "t0"."last_login_at" < MAKE_TIMESTAMP(2026, 11, 18, 4, 0, 1e-06)
    )
  )
