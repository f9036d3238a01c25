SELECT
  "t6"."customer_id"
FROM (
  SELECT
    "t2"."customer_id",
    "t2"."gender",
    "t2"."birth_date",
    "t2"."city",
    "t2"."branch_id",
    "t2"."manager_id",
    "t2"."opened_on",
    "t2"."tier",
    "t2"."risk_level",
    "t2"."risk_assessed_on",
    "t2"."is_staff",
    "t2"."is_payroll",
    "t2"."payday",
    "t2"."has_mobile_bank",
    "t2"."wecom_bound",
    "t2"."has_credit_card",
    "t2"."card_activated",
    "t2"."third_party_pay_bound",
    "t2"."deposit_balance",
    "t2"."wealth_balance",
    "t2"."fund_balance",
    "t2"."loan_balance",
    "t2"."aum",
    "t2"."aum_30d_ago",
    "t2"."monthly_spend",
    "t2"."last_login_at",
    "t5"."_next_maturity"
  FROM "customers" AS "t2"
  LEFT OUTER JOIN (
    SELECT
      "t3"."customer_id",
      MIN("t3"."matures_on") AS "_next_maturity"
    FROM (
      SELECT
        *
      FROM "holdings" AS "t1"
      WHERE
        "t1"."matures_on" >= MAKE_DATE(2026, 11, 18)
    ) AS "t3"
    GROUP BY
      1
  ) AS "t5"
    ON "t2"."customer_id" = "t5"."customer_id"
) AS "t6"
WHERE
  DATE_DIFF('DAY', MAKE_DATE(2026, 11, 18), "t6"."_next_maturity") <= 7
