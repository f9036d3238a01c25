SELECT
  "t14"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t12"."customer_id"
      FROM (
        SELECT
          "t3"."customer_id",
          "t10"."v_0" AS "m_0",
          "t11"."v_0" AS "m_1"
        FROM (
          SELECT
            "t0"."customer_id"
          FROM "customers" AS "t0"
        ) AS "t3"
        LEFT OUTER JOIN (
          SELECT
            "t6"."customer_id" AS "c_0",
            "t6"."v" AS "v_0"
          FROM (
            SELECT
              "t4"."customer_id",
              MAX("t4"."p_tier") AS "v"
            FROM (
              SELECT
                "t1"."customer_id",
                "t1"."month",
                "t1"."tier" AS "p_tier"
              FROM "monthly" AS "t1"
              WHERE
                "t1"."month" < MAKE_DATE(2026, 11, 1)
                AND "t1"."month" >= MAKE_DATE(2026, 10, 1)
                AND "t1"."month" <= MAKE_DATE(2026, 10, 31)
            ) AS "t4"
            GROUP BY
              1
          ) AS "t6"
        ) AS "t10"
          ON "t3"."customer_id" = "t10"."c_0"
        LEFT OUTER JOIN (
          SELECT
            "t7"."customer_id" AS "c_1",
            "t7"."v" AS "v_0"
          FROM (
            SELECT
              "t5"."customer_id",
              MAX("t5"."p_tier") AS "v"
            FROM (
              SELECT
                "t1"."customer_id",
                "t1"."month",
                "t1"."tier" AS "p_tier"
              FROM "monthly" AS "t1"
              WHERE
                "t1"."month" < MAKE_DATE(2026, 11, 1)
                AND "t1"."month" >= MAKE_DATE(2026, 9, 1)
                AND "t1"."month" <= MAKE_DATE(2026, 9, 30)
            ) AS "t5"
            GROUP BY
              1
          ) AS "t7"
        ) AS "t11"
          ON "t3"."customer_id" = "t11"."c_1"
      ) AS "t12"
      WHERE
        CASE "t12"."m_0"
          WHEN 'mass'
          THEN 0
          WHEN 'affluent'
          THEN 1
          WHEN 'wealth'
          THEN 2
          WHEN 'private'
          THEN 3
          ELSE NULL
        END < CASE "t12"."m_1"
          WHEN 'mass'
          THEN 0
          WHEN 'affluent'
          THEN 1
          WHEN 'wealth'
          THEN 2
          WHEN 'private'
          THEN 3
          ELSE NULL
        END
    )
) AS "t14"
