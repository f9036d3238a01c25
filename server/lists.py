"""The lists part of a workspace: customers named one by one in a file, for `in_list('name')`.

A file is data: it is parsed here from its bytes, never opened by SQL, and no path comes from outside. Only customers of
the uploader's branches become part of a list, and a report tells him of nobody else's.
"""

import re
from typing import TYPE_CHECKING

from server.access import needs
from server.lives import LifeWork
from server.schema import MAX_UPLOAD, ListInfo, ListReport, ListView
from warehouse.errors import Forbidden, ModelRetry, NotFound

if TYPE_CHECKING:
    from control.records import ListRecord
    from tools.segment.list_files import Named
    from tools.segment.lists import MatchReport, Several

LIST_NAME = re.compile(r"[^\x00-\x1f'\"\\]{1,80}")
"""What a list may be called: a name that can be written in an expression, in any script."""


class ListWork(LifeWork):
    @needs("draft")
    def list_upload(
        self, name: str, content: bytes, named: "Named | None" = None, several: "Several" = "all"
    ) -> ListReport:
        """Upload a list; a list of one's own under the same name gets a new version, proposals keep the old one by value.

        Args:
            content: a CSV or Parquet file with a column customer_id, phone, id_card, account, wecom or device, or one
                value per line.
            named: what the file names customers by; None goes by its heading.
            several: whether all customers who share a value join the list, or none of them.

        Raises:
            ModelRetry: the name or the file does not fit, or none of its rows is a customer of the caller's branches.
            Forbidden: the name is that of somebody else's list.
        """
        from tools.segment import load_list
        from tools.segment.list_files import read
        from tools.segment.lists import match

        name = name.strip()
        if len(content) > MAX_UPLOAD:
            raise ModelRetry(
                f"The file is larger than {MAX_UPLOAD // 2**20} MB.",
                "Send Parquet, or only the column customer_id.",
                message_zh=f"文件超过 {MAX_UPLOAD // 2**20} MB。",
                fix_zh="请用 Parquet，或只保留 customer_id 列。",
            )
        if not LIST_NAME.fullmatch(name):
            raise ModelRetry(
                "A list's name has 1 to 80 characters, without quotes, backslashes and line breaks.",
                "Give it a name such as vip or 高端客户.",
                message_zh="名单名称为 1 到 80 个字，不含引号、反斜线和换行。",
                fix_zh="例如 vip 或 高端客户。",
            )
        self._free(name)
        stores = self.stores
        found = match(stores.warehouse, read(content, named), stores.home.key("hmac"), self._segments().scope, several)
        report = found.report
        if not found.customers:
            raise _nobody(report)
        kept = load_list(
            stores.warehouse, stores.records, name, found.customers, self.actor, report.named, report.model_dump()
        )
        stores.authority.audit.append(
            "list.uploaded",
            self.actor,
            {"name": kept.name, "sha256": kept.sha256, "size": kept.size, "version": kept.version, "named": kept.kind},
        )
        return ListReport(**self._matched(report), **self._about(kept, kept.size))

    @needs("read")
    def lists(self) -> list[ListInfo]:
        """Uploaded lists, the latest first; those who see some branches only see lists with customers of theirs."""
        sizes = self._sizes()
        found = []
        for record in self.stores.records.lists():
            size = sizes.get((record.name, record.sha256), 0)
            if size or record.person == self.actor.person:
                found.append(ListInfo(**self._about(record, size)))
        return found

    @needs("read")
    def list_view(self, name: str) -> ListView:
        """A list with the match report of its latest file, its versions, and who names it.

        Raises:
            NotFound: there is none, or it is somebody else's and has no customers of the caller's branches.
        """
        from tools.segment.lineage import users
        from tools.segment.lists import MatchReport

        record = self.stores.records.list_record(name)
        sizes = self._sizes()
        size = sizes.get((record.name, record.sha256), 0)
        mine = record.person == self.actor.person
        if not size and not mine:
            raise NotFound(f"There is no uploaded list {name!r}.", "See them with `touchline list list`.")
        # Another's file may name customers whom the caller does not see: its rows are his business.
        whole = mine or self._segments().scope is None
        report = MatchReport.model_validate(record.report if whole and record.report else {"named": record.kind})
        found = users("list", record.name, self.stores.records, self.stores.catalog)
        return ListView(
            **{**self._matched(report), "matched": self.shown(size)}, **self._about(record, size),
            versions=[
                ListInfo(**self._about(r, sizes.get((r.name, r.sha256), 0)))
                for r in self.stores.records.list_versions(record.name)
            ],
            users=[f"{item.kind} {item.id} {item.name}".strip() for item in found],
        )  # fmt: skip

    @needs("draft")
    def list_archive(self, name: str) -> ListInfo:
        """Take a list out of use.

        Raises:
            Forbidden: it is somebody else's, and the caller is no manager.
            PersonDecides: segments, tags, canvases or open proposals use it; the message names them.
        """
        from tools.segment.lineage import refuse_if_used, users

        record = self.stores.records.list_record(name)
        self._own_or_manage(record.person)
        refuse_if_used(
            f"The list {record.name!r}", f"名单“{record.name}”",
            users("list", record.name, self.stores.records, self.stores.catalog),
        )  # fmt: skip
        self.stores.records.archive_list(record.name)
        self.stores.authority.audit.append("list.archived", self.actor, {"name": record.name, "sha256": record.sha256})
        return ListInfo(**self._about(record, record.size))

    def _free(self, name: str) -> None:
        """Pass if no list of somebody else has this name: `in_list` in his segments must go on meaning his."""
        for record in self.stores.records.lists(limit=100_000):
            if record.name == name and record.person != self.actor.person:
                raise Forbidden(
                    "There is a list with this name, uploaded by somebody else.",
                    "Choose another name.",
                    message_zh="别人已经上传了同名名单。",
                    fix_zh="请换一个名称。",
                )

    def _about(self, record: "ListRecord", size: int) -> dict[str, object]:
        return {
            "name": record.name, "size": self.shown(size), "sha256": record.sha256, "uploaded_by": record.account,
            "created_at": record.created_at, "version": record.version, "named": record.kind,
        }  # fmt: skip

    def _matched(self, report: "MatchReport") -> dict[str, object]:
        return {
            "rows": report.rows, "matched": self.shown(report.customers), "unknown": report.unmatched,
            "duplicates": report.duplicates, "invalid": report.blank + report.malformed,
            "unknown_rows": report.unmatched_rows, "invalid_rows": report.malformed_rows, "blank": report.blank,
            "malformed": report.malformed, "unique": report.unique, "several": report.several,
            "several_rows": report.several_rows,
        }  # fmt: skip

    def _sizes(self) -> dict[tuple[str, str], int]:
        """Customers of every list within the caller's scope, by name and content."""
        warehouse = self.stores.warehouse
        if not warehouse.read("SELECT 1 FROM information_schema.tables WHERE table_name = 'list_members'").rows:
            return {}
        scope = self._segments().scope
        within = "" if scope is None else f"WHERE c.branch_id IN ({', '.join(str(int(b)) for b in scope) or 'NULL'})"
        sql = f"""SELECT m.name, m.sha256, count(*) FROM list_members m JOIN customers c USING (customer_id) {within}
                  GROUP BY ALL"""
        return {(str(name), str(sha256)): int(n) for name, sha256, n in warehouse.read(sql).rows}


def _nobody(report: "MatchReport") -> ModelRetry:
    if report.rows == 0:
        return ModelRetry(
            "The file is empty.", "Send one with at least one customer.",
            message_zh="文件是空的。", fix_zh="至少要有一个客户。",
        )  # fmt: skip
    other = report.named == "customer_id"
    return ModelRetry(
        f"None of the {report.rows} rows names a customer of your branches.",
        "Check that the file holds the bank's customer_id; for phones or other identities say so (--named phone)."
        if other
        else f"Check that the column holds values of the kind {report.named}, and that the bank's identities were imported.",
        message_zh=f"{report.rows} 行里没有一个是你所辖机构的客户。",
        fix_zh="请检查文件里是客户号（customer_id）；如果是手机号等，请注明（--named phone）。"
        if other
        else f"请检查这一列是不是 {report.named}，以及是否已导入客户身份数据。",
    )
