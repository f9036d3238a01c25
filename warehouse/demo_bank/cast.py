"""The demo bank's fixed cast: cities, branches, outlets, staff, products, benefits and the stock of names."""

from dataclasses import dataclass
from datetime import date, timedelta

AFFLUENT, WEALTH, PRIVATE = 50_000, 500_000, 6_000_000
"""Tier thresholds in CNY of the month's daily average AUM."""


@dataclass(frozen=True)
class City:
    zh: str
    en: str
    share: float
    outlets: tuple[tuple[str, str], ...]


CITIES = (
    City("深圳", "Shenzhen", 0.30, (("南山", "Nanshan"), ("福田", "Futian"), ("罗湖", "Luohu"), ("宝安", "Bao'an"), ("龙岗", "Longgang"), ("龙华", "Longhua"))),
    City("广州", "Guangzhou", 0.16, (("天河", "Tianhe"), ("越秀", "Yuexiu"), ("海珠", "Haizhu"), ("番禺", "Panyu"), ("白云", "Baiyun"))),
    City("东莞", "Dongguan", 0.14, (("南城", "Nancheng"), ("虎门", "Humen"), ("长安", "Chang'an"), ("松山湖", "Songshan Lake"), ("厚街", "Houjie"))),
    City("佛山", "Foshan", 0.10, (("禅城", "Chancheng"), ("南海", "Nanhai"), ("顺德", "Shunde"), ("三水", "Sanshui"), ("高明", "Gaoming"))),
    City("惠州", "Huizhou", 0.08, (("惠城", "Huicheng"), ("惠阳", "Huiyang"), ("博罗", "Boluo"), ("仲恺", "Zhongkai"), ("大亚湾", "Daya Bay"))),
    City("珠海", "Zhuhai", 0.06, (("香洲", "Xiangzhou"), ("横琴", "Hengqin"), ("斗门", "Doumen"), ("金湾", "Jinwan"))),
    City("长沙", "Changsha", 0.10, (("岳麓", "Yuelu"), ("芙蓉", "Furong"), ("雨花", "Yuhua"), ("开福", "Kaifu"), ("星沙", "Xingsha"))),
    City("武汉", "Wuhan", 0.06, (("武昌", "Wuchang"), ("汉口", "Hankou"), ("汉阳", "Hanyang"), ("光谷", "Optics Valley"), ("江夏", "Jiangxia"))),
)  # fmt: skip


@dataclass(frozen=True)
class Branch:
    branch_id: int
    name: str
    english: str
    city: str
    level: str
    parent_id: int | None


HEAD = Branch(1, "总行", "Head office", "深圳", "head", None)


def branches() -> list[Branch]:
    """Head office 1, branches 11–18, outlets 1101, 1102, … under them."""
    rows = [HEAD]
    for position, city in enumerate(CITIES, 11):
        rows.append(Branch(position, f"{city.zh}分行", f"{city.en} Branch", city.zh, "branch", HEAD.branch_id))
    for position, city in enumerate(CITIES, 11):
        for number, (zh, en) in enumerate(city.outlets, 1):
            rows.append(
                Branch(
                    position * 100 + number, f"{city.zh}{zh}支行", f"{city.en} {en} Outlet", city.zh, "outlet", position
                )
            )
    return rows


SURNAMES = list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈")
GIVEN_F = [
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "艳",
    "娟",
    "霞",
    "秀英",
    "桂英",
    "慧",
    "婷",
    "雪",
    "琳",
    "玉兰",
    "晓燕",
    "佳怡",
    "欣怡",
    "雨桐",
    "梦洁",
    "诗涵",
    "思颖",
    "海燕",
    "文静",
    "丹",
    "莹",
    "倩",
    "颖",
    "璐",
    "洁",
]
GIVEN_M = [
    "伟",
    "强",
    "磊",
    "军",
    "洋",
    "勇",
    "杰",
    "涛",
    "明",
    "超",
    "建国",
    "志强",
    "国强",
    "建华",
    "浩然",
    "子轩",
    "宇航",
    "俊杰",
    "文博",
    "鹏",
    "飞",
    "刚",
    "波",
    "辉",
    "斌",
    "凯",
    "健",
    "鑫",
    "博文",
    "嘉豪",
]


@dataclass(frozen=True)
class StaffMember:
    staff_id: int
    name: str
    role: str
    branch_id: int


def staff(customers: int) -> tuple[list[StaffMember], dict[int, tuple[int, int]]]:
    """The staff, and for each branch (first staff_id, number) of its relationship managers, who have running ids.

    About one manager per 250 managed customers; names are unique within the bank.
    """
    names = [s + g for g in GIVEN_F + GIVEN_M for s in SURNAMES]
    rows = [
        StaffMember(1, names[0], "零售业务部总经理", HEAD.branch_id),
        StaffMember(2, names[1], "营销运营", HEAD.branch_id),
        StaffMember(3, names[2], "消费者权益保护", HEAD.branch_id),
    ]
    managers: dict[int, tuple[int, int]] = {}
    next_id = 1001
    for branch_id, city in enumerate(CITIES, 11):
        number = max(2, min(300, round(customers * 0.28 / 250 * city.share)))
        rows.append(StaffMember(branch_id, names[len(rows)], "分行零售负责人", branch_id))
        managers[branch_id] = (next_id, number)
        for _ in range(number):
            rows.append(StaffMember(next_id, names[len(rows)], "客户经理", branch_id))
            next_id += 1
    return rows, managers


@dataclass(frozen=True)
class Product:
    product_id: int
    name: str
    kind: str
    risk_level: str | None
    term_days: int | None
    benchmark_rate: float | None


PRODUCTS = (
    Product(101, "安心存三个月", "deposit", "R1", 90, 0.0115),
    Product(102, "安心存半年", "deposit", "R1", 180, 0.0135),
    Product(103, "安心存一年", "deposit", "R1", 365, 0.0145),
    Product(104, "大额存单三年", "deposit", "R1", 1095, 0.0190),
    Product(201, "加薪宝日开", "wealth", "R1", None, 0.0180),
    Product(202, "稳盈30天", "wealth", "R2", 30, 0.0215),
    Product(203, "稳盈60天", "wealth", "R2", 60, 0.0225),
    Product(204, "稳盈90天", "wealth", "R2", 90, 0.0240),
    Product(205, "稳盈180天", "wealth", "R2", 180, 0.0255),
    Product(206, "悦享365天", "wealth", "R3", 365, 0.0290),
    Product(207, "悦享进取270天", "wealth", "R4", 270, 0.0340),
    Product(208, "现金管理七天", "wealth", "R1", 7, 0.0185),
    Product(301, "沪深300指数基金", "fund", "R4", None, None),
    Product(302, "纯债基金", "fund", "R2", None, None),
    Product(303, "均衡配置混合基金", "fund", "R3", None, None),
    Product(304, "科技成长基金", "fund", "R5", None, None),
    Product(401, "安享年金保险", "insurance", "R1", 1825, None),
    Product(501, "积存金", "gold", "R3", None, None),
    Product(601, "薪易贷", "loan", None, 365, 0.0420),
    Product(602, "装修贷", "loan", None, 1095, 0.0480),
    Product(701, "标准信用卡", "credit_card", None, None, None),
    Product(702, "青年信用卡", "credit_card", None, None, None),
)  # fmt: skip


@dataclass(frozen=True)
class Benefit:
    benefit_id: int
    name: str
    kind: str
    unit_cost: float
    per_customer: int
    days: int


BENEFITS = (
    Benefit(1, "首购理财立减券20元", "coupon", 20.0, 1, 30),
    Benefit(2, "发薪日红包8元", "red_packet", 8.0, 1, 14),
    Benefit(3, "一分钱乘车", "transport", 1.5, 4, 30),
    Benefit(4, "支付满50减10", "coupon", 10.0, 2, 21),
    Benefit(5, "生日积分500", "points", 2.5, 1, 60),
    Benefit(6, "信用卡激活礼", "red_packet", 30.0, 1, 45),
)


def on_sale(today: date) -> tuple[date, date]:
    """When all products are on sale: from four years ago until a year from now."""
    return today - timedelta(days=1461), today + timedelta(days=365)
