"""The report: self-contained HTML files, for all verdicts, for each paper and for each case, and the figures beside them."""

from __future__ import annotations

from figures.calibration import CalibrationSummary, FalseAlarmRow, PowerRow
from figures.report.audit import audit_markdown, audit_summary, audit_tables, write_audit
from figures.report.certificates import write_certificates
from figures.report.drawings import case_names, write_figures
from figures.report.files import curve_files, table_files
from figures.report.page import write_report

__all__ = [
    "CalibrationSummary",
    "FalseAlarmRow",
    "PowerRow",
    "audit_markdown",
    "audit_summary",
    "audit_tables",
    "case_names",
    "curve_files",
    "table_files",
    "write_audit",
    "write_certificates",
    "write_figures",
    "write_report",
]
