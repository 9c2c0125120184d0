"""What the commands of the working day do: accounts, reminders, restoring; their arguments are declared here too.

These run on the machine itself, as its operator: whoever may run them can read the database anyway.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcher.commands import open_for, write_file
from matcher.errors import InputError, NotFoundError
from matcher.vocab import Role

if TYPE_CHECKING:
    from matcher.services.accounts import NewPassword


def add_arguments(add_group: Any, add: Any, parsers: Any) -> None:
    """Declare the commands; ``add`` and ``add_group`` are the command line's own."""
    users = add_group(parsers, "users", "账号：列出、开通、重置密码、停用", "users list")
    add(users, "list", "列出全部账号", "users list", run_users_list)
    new = add(
        users,
        "add",
        "开通账号，显示一次初始密码",
        "users add zhangsan --role 科技局 --name 张三",
        run_users_add,
    )
    new.add_argument("login", help="登录名")
    new.add_argument("--role", required=True, choices=tuple(Role), help="身份")
    new.add_argument("--name", required=True, help="姓名或单位名称")
    new.add_argument("--firm", default="", help="企业账号：企业编号")
    new.add_argument("--institution", default="", help="专家团队账号：单位编号")
    new.add_argument("--expert", default="", help="专家团队账号：专家编号")
    for name, text, run in (
        ("reset", "重置密码，显示一次新的初始密码", run_users_reset),
        ("disable", "停用账号", run_users_disable),
        ("enable", "重新启用账号", run_users_enable),
    ):
        one = add(users, name, text, f"users {name} zhangsan", run)
        one.add_argument("login", help="登录名")
    back = add(parsers, "restore", "用备份恢复数据库（请先停止平台）", "restore 备份.db", run_restore)
    back.add_argument("backup", type=Path, help="备份文件")
    _add_remind(add, parsers)


def _add_remind(add: Any, parsers: Any) -> None:
    remind = add(
        parsers, "remind", "列出逾期没有跟进的对接，每位经办人一份", "remind --owner wang", run_remind
    )
    remind.add_argument("--owner", default="", help="只看这位经办人（登录名），默认全部")
    remind.add_argument("--out", type=Path, help="写入文件：.xlsx .docx .csv .json")


def add_candidates(export: argparse.ArgumentParser) -> None:
    """Let ``export`` also write the 候选合作清单 over all accepted pairings."""
    export.add_argument(
        "--candidates",
        dest="run",
        action="store_const",
        const=run_candidates,
        help="导出全部已接受配对的候选合作清单，如 export --candidates --by town 清单.xlsx",
    )
    export.add_argument(
        "--by",
        choices=("sector", "town", "institution", "firm"),
        default="sector",
        help="清单的分组：sector 领域（默认）、town 镇街、institution 高校、firm 企业",
    )
    export.add_argument("--year", type=int, help="清单只含这一年的配对，默认全部")
    export.add_argument("--with-contacts", action="store_true", help="清单含联系方式（会记入操作记录）")
    export.add_argument("--with-confidential", action="store_true", help="清单含保密需求")


def run_candidates(args: argparse.Namespace) -> int:
    from matcher.export.writers import check_suffix

    if args.kind or args.shortlist:
        raise InputError("--candidates 不能与数据种类或 --shortlist 同时使用。", "请一次只导出一样。")
    check_suffix(args.out.suffix)
    with open_for(args, samples=False) as app:
        data = app.candidates.export(
            args.by,
            args.out.suffix,
            year=args.year,
            with_contacts=args.with_contacts,
            with_confidential=args.with_confidential,
        )
        write_file(args.out, data)
    return 0


def run_remind(args: argparse.Namespace) -> int:
    from matcher.export.writers import check_suffix
    from matcher.services.reminders import DEGREES

    if args.out:
        check_suffix(args.out.suffix)
    with open_for(args, samples=False) as app:
        known = {person.login for person in app.accounts.officials()}
        if args.owner and args.owner not in known | {row.engagement.owner for row in app.following.list()}:
            raise NotFoundError(
                f"没有登录名为“{args.owner}”的经办人。", f"现有的：{'、'.join(sorted(known))}。"
            )
        if args.out:
            write_file(args.out, app.following.digest_file(args.owner, args.out.suffix))
            return 0
        digest = app.following.digest(args.owner)
    for owner in digest.owners:
        print(f"{owner.name or '未指定经办人'}：{len(owner.items)} 项要跟进")
        for item in owner.items:
            one, late = item.engagement, item.lateness
            badge = "【示例】" if one.is_sample else ""
            print(
                f"  {DEGREES[late.degree]}  {one.firm}{badge} – {one.expert_name}（{one.stage}）：{late.reason}"
            )
            if one.next_action:
                print(f"      下一步：{one.next_action}")
    if not digest.owners:
        print("没有逾期的对接。")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    from matcher.services.restoring import restore

    with open_for(args, samples=False) as app:
        kept = restore(app.database, args.backup, app.clock)
    print(f"已恢复。恢复前的数据留在 {kept}。")
    print("请重新启动平台；所有人都要重新登录。")
    return 0


def run_users_list(args: argparse.Namespace) -> int:
    with open_for(args, samples=False) as app:
        for account in app.accounts.list():
            person = account.person
            state = "已停用" if account.disabled else "待换初始密码" if account.must_change else "正常"
            owner = person.firm_id or person.expert_id or person.institution_id
            print(
                "\t".join(
                    part for part in (person.login, person.role.value, person.name, owner, state) if part
                )
            )
    return 0


def run_users_add(args: argparse.Namespace) -> int:
    from matcher.models import Person

    person = Person(args.login, args.name, Role(args.role), args.firm, args.institution, args.expert)
    with open_for(args, samples=False) as app:
        _tell(app.accounts.create(person))
    return 0


def run_users_reset(args: argparse.Namespace) -> int:
    with open_for(args, samples=False) as app:
        _tell(app.accounts.reset(args.login))
    return 0


def run_users_disable(args: argparse.Namespace) -> int:
    return _switch(args, True)


def run_users_enable(args: argparse.Namespace) -> int:
    return _switch(args, False)


def _switch(args: argparse.Namespace, disabled: bool) -> int:
    with open_for(args, samples=False) as app:
        app.accounts.set_disabled(args.login, disabled)
    print(f"账号 {args.login} 已{'停用' if disabled else '启用'}。")
    return 0


def _tell(made: NewPassword) -> None:
    print(f"账号 {made.account.person.login}（{made.account.person.role.value}）的初始密码：{made.password}")
    print("密码只显示这一次，请当面或电话告诉本人；首次登录必须更换。")
