WITH "t2" AS (
  SELECT
    "t1"."customer_id",
    "t1"."month" AS "t",
    "t1"."tier" AS "p"
  FROM "monthly" AS "t1"
  WHERE
    "t1"."month" < MAKE_DATE(2026, 11, 1)
    AND "t1"."month" >= MAKE_DATE(2026, 8, 1)
    AND "t1"."month" <= MAKE_DATE(2026, 10, 31)
    AND "t1"."tier" IS NOT NULL
)
SELECT
  "t11"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t9"."customer_id"
      FROM (
        SELECT
          "t8"."customer_id",
          MAX("t8"."p") AS "v"
        FROM (
          SELECT
            "t4"."customer_id",
            "t4"."p"
          FROM "t2" AS "t4"
          INNER JOIN (
            SELECT
              "t5"."customer_id" AS "e_customer",
              "t5"."e_t"
            FROM (
              SELECT
                "t3"."customer_id",
                MAX("t3"."t") AS "e_t"
              FROM "t2" AS "t3"
              GROUP BY
                1
            ) AS "t5"
          ) AS "t7"
            ON "t4"."customer_id" = "t7"."e_customer" AND "t4"."t" = "t7"."e_t"
        ) AS "t8"
        GROUP BY
          1
      ) AS "t9"
      WHERE
        "t9"."v" = 'wealth'
    )
) AS "t11"
