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
          "t11"."customer_id",
          COUNT(*) AS "v"
        FROM (
          SELECT
            *
          FROM (
            SELECT
              "t7"."customer_id",
              "t7"."occurred_at",
              "t3"."kind" AS "p_kind"
            FROM (
              SELECT
                *
              FROM "events" AS "t1"
              WHERE
                "t1"."name" = 'view_product'
                AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
                AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 11, 11, 1, 0, 0.0)
            ) AS "t7"
            LEFT OUTER JOIN "products" AS "t3"
              ON "t7"."product_id" = "t3"."product_id"
          ) AS "t9"
          WHERE
            "t9"."p_kind" = 'wealth'
        ) AS "t11"
        GROUP BY
          1
      ) AS "t12"
      WHERE
        "t12"."v" >= 2
    )
    AND NOT (
      "t0"."customer_id" IN (
        SELECT
          "t8"."customer_id"
        FROM (
          SELECT
            "t6"."customer_id",
            "t6"."occurred_at",
            "t3"."kind" AS "p_kind"
          FROM (
            SELECT
              *
            FROM "events" AS "t1"
            WHERE
              "t1"."name" = 'purchase'
              AND "t1"."occurred_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
              AND "t1"."occurred_at" > MAKE_TIMESTAMP(2026, 10, 19, 1, 0, 0.0)
          ) AS "t6"
          LEFT OUTER JOIN "products" AS "t3"
            ON "t6"."product_id" = "t3"."product_id"
        ) AS "t8"
        WHERE
          "t8"."p_kind" = 'wealth'
      )
    )
) AS "t14"
