"""Checking a server: what stands between this installation and an iManage server, by name, and whose step it is."""

from services.diagnostics.checks import check as check
from services.diagnostics.checks import plan as plan
from services.diagnostics.report import WHOSE as WHOSE
from services.diagnostics.report import Report as Report
from services.diagnostics.report import Result as Result
