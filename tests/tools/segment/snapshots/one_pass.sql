SELECT
  "t10"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t8"."customer_id"
      FROM (
        SELECT
          "t3"."customer_id",
          COALESCE("t7"."v_0", 0) AS "m_0",
          COALESCE("t7"."v_1", 0) AS "m_1"
        FROM (
          SELECT
            "t0"."customer_id"
          FROM "customers" AS "t0"
        ) AS "t3"
        LEFT OUTER JOIN (
          SELECT
            "t5"."customer_id" AS "c_0",
            "t5"."v_0",
            "t5"."v_1"
          FROM (
            SELECT
              "t4"."customer_id",
              COALESCE(
                SUM("t4"."p_amount") FILTER(WHERE
                  "t4"."occurred_at" > MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 0.0)),
                0
              ) AS "v_0",
              COALESCE(
                SUM("t4"."p_amount") FILTER(WHERE
                  (
                    "t4"."occurred_at" > MAKE_TIMESTAMP(2026, 9, 19, 1, 0, 0.0)
                  )
                  AND (
                    "t4"."occurred_at" < MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 1e-06)
                  )
                  AND (
                    "t4"."p_merchant" = 'dining'
                  )),
                0
              ) AS "v_1"
            FROM (
              SELECT
                "t1"."customer_id",
                "t1"."occurred_at",
                "t1"."amount" AS "p_amount",
                CASE
                  WHEN JSON_TYPE("t1"."properties" -> '$.merchant') = 'VARCHAR'
                  THEN (
                    "t1"."properties" -> '$.merchant'
                  ) ->> '$'
                  ELSE NULL
                END AS "p_merchant"
              FROM "events" AS "t1"
              WHERE
                "t1"."name" = 'pay'
                AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
                AND "t1"."occurred_at" >= MAKE_TIMESTAMP(2026, 9, 19, 1, 0, 0.0)
                AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 1e-06)
            ) AS "t4"
            GROUP BY
              1
          ) AS "t5"
        ) AS "t7"
          ON "t3"."customer_id" = "t7"."c_0"
      ) AS "t8"
      WHERE
        (
          CAST("t8"."m_0" AS DOUBLE) / NULLIF(CAST("t8"."m_1" AS DOUBLE), 0)
        ) < 0.5
    )
) AS "t10"
