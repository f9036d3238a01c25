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
          "t3"."a_aum",
          "t7"."v_0" AS "m_0"
        FROM (
          SELECT
            "t0"."customer_id",
            "t0"."aum" AS "a_aum"
          FROM "customers" AS "t0"
        ) AS "t3"
        LEFT OUTER JOIN (
          SELECT
            "t5"."customer_id" AS "c_0",
            "t5"."v" AS "v_0"
          FROM (
            SELECT
              "t4"."customer_id",
              CAST(SUM("t4"."p_aum_daily_avg") AS DOUBLE) / NULLIF(COUNT("t4"."p_aum_daily_avg"), 0) AS "v"
            FROM (
              SELECT
                "t1"."customer_id",
                "t1"."month",
                "t1"."aum_daily_avg" AS "p_aum_daily_avg"
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
        "t8"."a_aum" > (
          CAST(3 AS DOUBLE) * "t8"."m_0"
        )
    )
) AS "t10"
