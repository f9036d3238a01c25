SELECT
  "t12"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."is_payroll"
    AND "t0"."customer_id" IN (
      SELECT
        "t10"."customer_id"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t3"."customer_id",
            COALESCE("t7"."v_0", 0) AS "m_0"
          FROM (
            SELECT
              "t0"."customer_id"
            FROM "customers" AS "t0"
            WHERE
              "t0"."is_payroll"
          ) AS "t3"
          LEFT OUTER JOIN (
            SELECT
              "t5"."customer_id" AS "c_0",
              "t5"."v" AS "v_0"
            FROM (
              SELECT
                "t4"."customer_id",
                COALESCE(SUM("t4"."p_amount"), 0) AS "v"
              FROM (
                SELECT
                  "t1"."customer_id",
                  "t1"."occurred_at",
                  "t1"."amount" AS "p_amount"
                FROM "events" AS "t1"
                WHERE
                  "t1"."name" = 'pay'
                  AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
                  AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 0.0)
              ) AS "t4"
              GROUP BY
                1
            ) AS "t5"
          ) AS "t7"
            ON "t3"."customer_id" = "t7"."c_0"
        ) AS "t8"
        WHERE
          "t8"."m_0" IS NOT NULL
        ORDER BY
          "t8"."m_0" DESC,
          "t8"."customer_id" ASC
        LIMIT 100
      ) AS "t10"
    )
) AS "t12"
