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
          "t5"."issued_at",
          "t3"."name" AS "p_benefit",
          "t5"."issued_at" AS "p_issued_at",
          CASE
            WHEN "t5"."redeemed_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
            THEN "t5"."redeemed_at"
            ELSE CAST(NULL AS TIMESTAMP)
          END AS "p_redeemed_at"
        FROM (
          SELECT
            *
          FROM "grants" AS "t1"
          WHERE
            "t1"."issued_at" <= MAKE_TIMESTAMP(2026, 11, 18, 1, 0, 0.0)
            AND "t1"."issued_at" > MAKE_TIMESTAMP(2026, 9, 19, 1, 0, 0.0)
            AND "t1"."issued_at" < MAKE_TIMESTAMP(2026, 11, 11, 1, 0, 1e-06)
        ) AS "t5"
        LEFT OUTER JOIN "benefits" AS "t3"
          ON "t5"."benefit_id" = "t3"."benefit_id"
      ) AS "t6"
      WHERE
        CONTAINS("t6"."p_benefit", 'a')
        AND NOT (
          COALESCE(
            (
              CAST(EPOCH(CAST(DATE_TRUNC('SECOND', "t6"."p_redeemed_at") AS TIMESTAMP)) - EPOCH(CAST(DATE_TRUNC('SECOND', "t6"."p_issued_at") AS TIMESTAMP)) AS DOUBLE) / 86400
            ) <= 7,
            FALSE
          )
        )
    )
) AS "t8"
