SELECT
  "t9"."customer_id"
FROM (
  SELECT
    *
  FROM "customers" AS "t0"
  WHERE
    "t0"."branch_id" IN (
      SELECT
        "t7"."branch_id"
      FROM (
        SELECT
          "t2"."branch_id",
          "t2"."name" AS "n",
          "t6"."u_name" AS "u",
          "t5"."t_name" AS "t"
        FROM "branches" AS "t2"
        LEFT OUTER JOIN (
          SELECT
            "t1"."branch_id" AS "u_id",
            "t1"."name" AS "u_name",
            "t1"."parent_id" AS "u_parent"
          FROM "branches" AS "t1"
        ) AS "t6"
          ON "t2"."parent_id" = "t6"."u_id"
        LEFT OUTER JOIN (
          SELECT
            "t1"."branch_id" AS "t_id",
            "t1"."name" AS "t_name"
          FROM "branches" AS "t1"
        ) AS "t5"
          ON "t6"."u_parent" = "t5"."t_id"
      ) AS "t7"
      WHERE
        (
          "t7"."n" = '深圳分行'
        ) OR (
          "t7"."u" = '深圳分行'
        ) OR (
          "t7"."t" = '深圳分行'
        )
    )
) AS "t9"
