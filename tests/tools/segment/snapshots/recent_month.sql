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
          "t6"."customer_id",
          CAST(DATE_DIFF('DAY', "t6"."t", MAKE_DATE(2026, 11, 18)) AS DOUBLE) AS "v"
        FROM (
          SELECT
            "t4"."customer_id",
            MAX("t4"."month") AS "t"
          FROM (
            SELECT
              "t2"."customer_id",
              "t2"."month"
            FROM "monthly" AS "t2"
            WHERE
              (
                "t2"."month" IS NULL
              ) OR (
                "t2"."month" < MAKE_DATE(2026, 11, 1)
              )
          ) AS "t4"
          GROUP BY
            1
        ) AS "t6"
      ) AS "t8"
      WHERE
        "t8"."v" > 20
    )
    AND "t0"."customer_id" IN (
      SELECT
        "t5"."customer_id"
      FROM (
        SELECT
          "t3"."customer_id",
          MIN("t3"."p_occurred_at") AS "v"
        FROM (
          SELECT
            "t1"."customer_id",
            "t1"."occurred_at",
            "t1"."occurred_at" AS "p_occurred_at"
          FROM "events" AS "t1"
          WHERE
            "t1"."name" = 'login'
            AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
        ) AS "t3"
        GROUP BY
          1
      ) AS "t5"
      WHERE
        "t5"."v" >= MAKE_TIMESTAMP(2026, 9, 30, 16, 0, 0.0)
    )
) AS "t10"
