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
          "t3"."a_tier",
          "t7"."v_0" AS "m_0"
        FROM (
          SELECT
            "t0"."customer_id",
            "t0"."tier" AS "a_tier"
          FROM "customers" AS "t0"
        ) AS "t3"
        LEFT OUTER JOIN (
          SELECT
            "t5"."customer_id" AS "c_0",
            "t5"."v" AS "v_0"
          FROM (
            SELECT
              "t4"."customer_id",
              MAX(
                CASE "t4"."p_tier"
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
              ) AS "v"
            FROM (
              SELECT
                "t1"."customer_id",
                "t1"."month",
                "t1"."tier" AS "p_tier"
              FROM "monthly" AS "t1"
              WHERE
                "t1"."month" < MAKE_DATE(2026, 11, 1)
                AND "t1"."month" >= MAKE_DATE(2026, 8, 1)
                AND "t1"."month" <= MAKE_DATE(2026, 10, 31)
            ) AS "t4"
            GROUP BY
              1
          ) AS "t5"
        ) AS "t7"
          ON "t3"."customer_id" = "t7"."c_0"
      ) AS "t8"
      WHERE
        CASE "t8"."a_tier"
          WHEN 'mass'
          THEN 0
          WHEN 'affluent'
          THEN 1
          WHEN 'wealth'
          THEN 2
          WHEN 'private'
          THEN 3
          ELSE NULL
        END < "t8"."m_0"
    )
) AS "t10"
