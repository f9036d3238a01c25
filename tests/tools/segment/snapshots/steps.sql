SELECT
  "t13"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t11"."customer_id"
      FROM (
        SELECT
          *
        FROM (
          SELECT
            "t8"."c0" AS "customer_id",
            "t8"."t0" AS "occurred_at"
          FROM (
            SELECT
              "t1"."customer_id" AS "c0",
              "t1"."occurred_at" AS "t0"
            FROM "events" AS "t1"
            WHERE
              "t1"."name" = 'click_buy'
              AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
              AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 15, 1, 0, 0.0)
          ) AS "t8"
          SEMI JOIN (
            SELECT
              "t1"."customer_id",
              "t1"."occurred_at"
            FROM "events" AS "t1"
            WHERE
              "t1"."name" = 'view_product'
              AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
              AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 15, 1, 0, 0.0)
          ) AS "t7"
            ON "t7"."customer_id" = "t8"."c0"
            AND "t8"."t0" > "t7"."occurred_at"
            AND "t8"."t0" <= (
              "t7"."occurred_at" + INTERVAL '1' DAY
            )
        ) AS "t9"
        WHERE
          (
            "t9"."occurred_at" + INTERVAL '30' MINUTE
          ) <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
      ) AS "t11"
      ANTI JOIN (
        SELECT
          "t1"."customer_id" AS "c1",
          "t1"."occurred_at" AS "t1"
        FROM "events" AS "t1"
        WHERE
          "t1"."name" = 'purchase'
          AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
          AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 15, 1, 0, 0.0)
      ) AS "t5"
        ON "t11"."customer_id" = "t5"."c1"
        AND "t5"."t1" > "t11"."occurred_at"
        AND "t5"."t1" <= (
          "t11"."occurred_at" + INTERVAL '30' MINUTE
        )
    )
) AS "t13"
