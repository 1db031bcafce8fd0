"""Known vulnerabilities in the locked packages, and, plainly, which packages nobody could ask about.

    python -m tests.lint.vulnerabilities

pip-audit passes in silence when it reaches no source; a closed network must not look like a clean bill of health.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path("requirements.lock")
PATIENCE = 120


def locked(lock: Path = LOCK) -> list[str]:
    """The packages of a lock file as name==version."""
    return re.findall(r"^([A-Za-z0-9._-]+(?:\[[^\]]*\])?==[^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)


def audit(lock: Path = LOCK) -> dict[str, Any] | None:
    """pip-audit's report; None when it could not make one."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--format", "json"]
    command += ["--disable-pip", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report


def verdict(report: dict[str, Any] | None, packages: list[str]) -> tuple[int, list[str]]:
    """Exit code and what to say."""
    if report is None:
        return 0, [f"NOT audited, the sources could not be reached: {len(packages)} packages: {', '.join(packages)}"]
    lines = []
    for package in report["dependencies"]:
        for found in package.get("vulns", []):
            lines.append(f"{package['name']} {package['version']}: {found['id']}, mended in {found['fix_versions']}")
    skipped = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    said = [f"NOT audited, nothing was found out about {len(skipped)} packages: {', '.join(skipped)}"]
    return (1 if lines else 0), lines + (said if skipped else [])


def main() -> int:
    code, lines = verdict(audit(), locked())
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
