"""Sentences used on more than one page."""

from __future__ import annotations

PRODUCT = "产学研智能匹配平台"
DEMO_NOTE = "演示模式：不用登录，只能在本机使用，请勿录入真实信息。"
SAMPLE_BADGE = "【示例】"

SCORE_NOTE = "匹配度只在同一条需求内可比，不是成功概率。"
SCORE_PARTS = "匹配度由用词、语义、术语三部分相加而成，筛选不会改变它。"
PRACTICAL_NOTE = "打开后，圈层、承接名额、合作经历等会影响先后，但不改变匹配度。"
NO_EVIDENCE = "团队资料里没有与这条需求直接对得上的内容。"
GAPS = "资料中没有找到依据的要求"
ALL_WEAK = "没有找到明显合适的团队，下面的关联都较弱。"
ALL_WEAK_NEEDS = "没有找到明显合适的需求，下面的关联都较弱。"
NOTHING_LISTED = "没有符合条件的结果。请放宽筛选。"
NO_RECORDS = "系统里还没有这类数据，导入表格后就能在这里看到。"
NO_NEEDS = "系统里还没有需求。导入技术需求征集表后，就能在这里给每条需求找团队。"
NO_EXPERTS = "系统里还没有专家（团队）。导入专家表后，就能在这里看匹配结果。"
WAITING_NOTE = "看过内容后，在“需求受理”里受理并发布，或写明原因退回补充。"
FREE_TEXT_NOTE = "自由检索的结果不能直接进清单：把这段话作为需求导入后，就可以在“按需求看”里勾选。"
LIST_MADE = "已建立，之后勾选的都进这份清单。"
SAMPLE_NOTE = "标有【示例】的是虚构的演示数据，不代表真实单位或合作。"

UNEXPECTED = "这一步没有完成，系统已记下原因。"
UNEXPECTED_HINT = "请刷新页面再试；若仍不行，请把操作步骤告诉管理员。"

MODEL_NAME_NOTE = (
    "任何 sentence-transformers 格式的向量模型都可以。填名称会从 Hugging Face 下载（几十 MB 到几 GB，断了会接着下）；"
    "不能联网时，在别的电脑上下载好，拷过来填目录。"
)
MODEL_SWITCH_NOTE = (
    "先检查模型能不能用，再在后台重算全部向量，算好才切换，这期间照常匹配；成功后写入设置，下次启动也用它。"
    "没有换成就还用原来的。在命令行里改的设置，要重启平台才生效。"
)

LINK_NOTE = "复制这个地址，打开后就是现在这个页面。"
EXPORT_NOTE = "文件中的数字与页面一致，并带有运行编号。"

KIND_LABELS = {
    "needs": "技术需求",
    "experts": "专家（团队）",
    "works": "成果",
    "firms": "企业",
    "institutions": "高校院所",
    "cooperation": "合作台账",
    "shortlists": "候选清单",
}
SUFFIX_LABELS = {
    ".xlsx": "Excel 表格（.xlsx）",
    ".docx": "Word 文档（.docx）",
    ".csv": "CSV（.csv）",
    ".json": "JSON（.json）",
}
EXAMPLES = (
    "刹车片磨得快，跑几千公里就要换",
    "海参育苗成活率不稳定",
    "西洋参烘干后颜色发暗、有效成分流失",
    "船上摄像头起雾看不清航道",
)
