SELECT
  "t4"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t2"."customer_id"
      FROM (
        SELECT
          "t1"."customer_id",
          "t1"."occurred_at",
          EXTRACT(hour FROM "t1"."occurred_at" + INTERVAL '480' MINUTE) AS "p_hour",
          (
            (
              DAYOFWEEK("t1"."occurred_at" + INTERVAL '480' MINUTE) + 6
            ) % 7
          ) + 1 AS "p_weekday"
        FROM "events" AS "t1"
        WHERE
          "t1"."name" = 'login'
          AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
      ) AS "t2"
      WHERE
        "t2"."p_hour" >= 22 AND "t2"."p_hour" <= 23 AND "t2"."p_weekday" >= 6
    )
) AS "t4"
