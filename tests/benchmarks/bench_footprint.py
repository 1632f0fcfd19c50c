"""What the packages take of a router's flash, without Python itself: backend, pages, LuCI app, store definitions.

Bar: <= 10 MB installed. Laid out by the packages' own scripts; the backend is counted as byte code too, which is what
OpenWrt installs.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Table

ROOT = Path(__file__).resolve().parents[2]
BAR_MB = 10.0


def size_mb(folder: Path, pattern: str = "*") -> float:
    """Files below a folder, in MB of 4 KB blocks."""
    return sum(-(-path.stat().st_size // 4096) for path in folder.rglob(pattern) if path.is_file()) * 4096 / 1e6


def main() -> int:
    table = Table("Installed size")
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as directory:
        root, resources = Path(directory) / "router", Path(directory) / "luci"
        install = ROOT / "openwrt-feed" / "remsim" / "files" / "install.sh"
        subprocess.run(["sh", str(install), str(ROOT), str(root)], check=True)
        subprocess.run(["cp", "-RL", str(ROOT / "luci-app-remsim" / "htdocs"), str(resources)], check=True)
        subprocess.run(["cp", "-R", str(ROOT / "luci-app-remsim" / "po"), f"{directory}/po"], check=True)
        subprocess.run([sys.executable, str(ROOT / "script" / "po"), "--lmo", f"{directory}/lmo"], check=True)
        everything, sources = size_mb(root), size_mb(root, "*.py")
        compileall.compile_dir(root / "usr/share/remsim/python", quiet=2, legacy=True)
        byte_code = size_mb(root, "*.pyc")
        parts = {
            "backend, as sources": sources,
            "backend, as byte code": byte_code,
            "stand-alone pages, definitions, scripts": everything - sources,
            "LuCI app": size_mb(resources),
            "its translations, all languages": size_mb(Path(f"{directory}/lmo")),
        }
        for name, mb in parts.items():
            table.row(name, mb, "MB")
        total = sum(parts.values()) - min(sources, byte_code)
        table.row("all of it, the larger form of the backend", total, "MB", at_most=BAR_MB)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
