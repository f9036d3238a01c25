SELECT
  "t10"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    NOT (
      "t0"."customer_id" IN (
        SELECT
          "t8"."customer_id"
        FROM (
          SELECT
            "t7"."customer_id",
            COUNT(*) AS "v"
          FROM (
            SELECT
              *
            FROM (
              SELECT
                "t5"."customer_id",
                "t5"."bought_on",
                "t3"."kind" AS "p_kind"
              FROM (
                SELECT
                  *
                FROM "holdings" AS "t1"
                WHERE
                  (
                    "t1"."bought_on" IS NULL
                  )
                  OR (
                    "t1"."bought_on" <= MAKE_DATE(2026, 11, 18)
                  )
              ) AS "t5"
              LEFT OUTER JOIN "products" AS "t3"
                ON "t5"."product_id" = "t3"."product_id"
            ) AS "t6"
            WHERE
              "t6"."p_kind" = 'wealth'
          ) AS "t7"
          GROUP BY
            1
        ) AS "t8"
        WHERE
          NOT (
            (
              "t8"."v" >= 0
            ) AND (
              "t8"."v" <= 1
            )
          )
      )
    )
) AS "t10"
