SELECT
  "t7"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t5"."customer_id"
      FROM (
        SELECT
          "t1"."customer_id",
          "t1"."occurred_at"
        FROM "events" AS "t1"
        WHERE
          "t1"."name" = 'click_buy'
          AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
          AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 15, 1, 0, 0.0)
          AND (
            "t1"."occurred_at" + INTERVAL '1' HOUR
          ) <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
      ) AS "t5"
      ANTI JOIN (
        SELECT
          "t1"."customer_id" AS "c0",
          "t1"."occurred_at" AS "t0"
        FROM "events" AS "t1"
        WHERE
          "t1"."name" = 'purchase'
          AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
          AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 15, 1, 0, 0.0)
      ) AS "t4"
        ON "t5"."customer_id" = "t4"."c0"
        AND "t4"."t0" > "t5"."occurred_at"
        AND "t4"."t0" <= (
          "t5"."occurred_at" + INTERVAL '1' HOUR
        )
    )
) AS "t7"
