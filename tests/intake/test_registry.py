"""A cell names a registered institution, alone or followed by a department."""

import pytest

from matcher.intake.registry import Registry
from matcher.models import Institution

REGISTRY = Registry(
    [
        Institution("I1", "山东大学", ("山大",)),
        Institution("I2", "山东大学（威海）", ("山东大学威海校区",)),
        Institution("I3", "青岛农业大学", ("青农",)),
        Institution("I4", "重庆大学", ("重大", "大学城")),
        Institution("I5", "吉林大学", ("吉大", "大学城")),
        Institution("I6", "吉大", ()),
        Institution("I7", "哈尔滨工业大学", ()),
    ]
)


@pytest.mark.parametrize(
    ("text", "institution_id", "rest"),
    [
        ("青岛农业大学食品学院", "I3", "食品学院"),
        ("青岛农业大学 食品学院", "I3", "食品学院"),
        ("青岛农业大学（食品学院）", "I3", "食品学院"),
        ("青农食品学院", "I3", "食品学院"),
        ("山东大学（威海）海洋学院", "I2", "海洋学院"),
        ("山东大学(威海)海洋学院", "I2", "海洋学院"),
        ("山东大学威海校区海洋学院", "I2", "海洋学院"),
        ("山东大学材料学院", "I1", "材料学院"),
        ("山东大学", "I1", ""),
        ("吉大", "I6", ""),  # a name goes before an alias
    ],
)
def test_longest_name_is_the_institution(text: str, institution_id: str, rest: str) -> None:
    found, after = REGISTRY.find(text)
    assert found is not None
    assert (found.institution_id, after) == (institution_id, rest)


@pytest.mark.parametrize(
    "text",
    ["重大技术装备研究院", "哈尔滨工业大学（深圳）", "青岛农业大学科技公司", "大学城", "清华大学", "", "青"],
)
def test_other_organisations_are_not_taken_for_a_registered_one(text: str) -> None:
    assert REGISTRY.find(text) == (None, "")
