SELECT
  "t0"."customer_id"
FROM "customers" AS "t0"
WHERE
  "t0"."is_payroll"
  AND (
    (
      2026 - EXTRACT(year FROM "t0"."birth_date")
    ) - CAST((
      (
        EXTRACT(month FROM "t0"."birth_date") * 100
      ) + EXTRACT(day FROM "t0"."birth_date")
    ) > 1118 AS INT)
  ) < 35
  AND "t0"."aum" >= CAST(50000.00 AS DECIMAL(18, 2))
  AND "t0"."aum" <= CAST(200000.00 AS DECIMAL(18, 2))
  AND NOT (
    COALESCE("t0"."has_credit_card", FALSE)
  )
