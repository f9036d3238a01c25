SELECT
  "t8"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."customer_id" IN (
      SELECT
        "t6"."customer_id"
      FROM (
        SELECT
          "t5"."customer_id",
          "t5"."amount" AS "p_amount",
          "t3"."kind" AS "p_kind"
        FROM (
          SELECT
            *
          FROM "holdings" AS "t1"
          WHERE
            (
              (
                "t1"."bought_on" IS NULL
              )
              OR (
                "t1"."bought_on" <= MAKE_DATE(2026, 11, 18)
              )
            )
            AND "t1"."matures_on" BETWEEN MAKE_DATE(2026, 11, 18) AND MAKE_DATE(2026, 11, 25)
        ) AS "t5"
        LEFT OUTER JOIN "products" AS "t3"
          ON "t5"."product_id" = "t3"."product_id"
      ) AS "t6"
      WHERE
        "t6"."p_kind" = 'wealth' AND "t6"."p_amount" > CAST(100000.00 AS DECIMAL(18, 2))
    )
) AS "t8"
