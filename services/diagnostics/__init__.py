"""The checks of an iManage server: what works, what fails and why, and who needs to act."""

from services.diagnostics.runner import check as check
from services.diagnostics.runner import plan as plan
