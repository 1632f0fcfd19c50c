"""The router's packages: what script/package builds, and what the SDK's Makefiles would."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import pytest
from remsim import __version__
from remsim.config.settings import Settings, load_settings
from running import free_port

ROOT = Path(__file__).resolve().parents[2]
FEED = ROOT / "openwrt-feed"
MAKEFILES = [*sorted(FEED.glob("*/Makefile")), ROOT / "luci-app-remsim" / "Makefile"]


class Package:
    """An ipk, read as opkg reads it."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(path, "r:gz") as outer:
            self.parts = outer.getnames()
            content = {name: outer.extractfile(name).read() for name in self.parts}  # type: ignore[union-attr]
        self.format = content["./debian-binary"]
        self.data_archive = content["./data.tar.gz"]
        self.data = tarfile.open(fileobj=io.BytesIO(content["./data.tar.gz"]), mode="r:gz")
        self.control_files = tarfile.open(fileobj=io.BytesIO(content["./control.tar.gz"]), mode="r:gz")
        lines = self.control_text("control").splitlines()
        self.control = dict(line.split(": ", 1) for line in lines)

    def control_text(self, name: str) -> str:
        found = self.control_files.extractfile(f"./{name}")
        assert found is not None
        return found.read().decode()

    def unpack(self, directory: Path) -> None:
        """Install it below a folder."""
        directory.mkdir(exist_ok=True)
        subprocess.run(["tar", "-xz", "-C", str(directory)], input=self.data_archive, check=True)

    def files(self) -> dict[str, tarfile.TarInfo]:
        return {member.name[1:]: member for member in self.data if member.isfile()}


def tracked(*folders: str) -> list[str]:
    """The files of the checkout below some folders, no links; those not yet added count too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both packages by name."""
    out = tmp_path_factory.mktemp("packages")
    command = [ROOT / "script" / "package", out]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return {Path(path).name.split("_")[0]: Path(path) for path in printed}


@pytest.fixture(scope="module")
def backend(built: dict[str, Path]) -> Package:
    return Package(built["remsim"])


@pytest.fixture(scope="module")
def luci(built: dict[str, Path]) -> Package:
    return Package(built["luci-app-remsim"])


def test_an_ipk_has_its_three_parts_in_order(backend: Package, luci: Package) -> None:
    for package in (backend, luci):
        assert package.parts == ["./debian-binary", "./data.tar.gz", "./control.tar.gz"]
        assert package.format == b"2.0\n"


def test_everything_belongs_to_root_and_has_the_commits_time(backend: Package, luci: Package) -> None:
    for package in (backend, luci):
        members = [*package.data, *package.control_files]
        assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}
        assert {member.mtime for member in members} == {int(package.control["SourceDateEpoch"])}


def test_the_same_commit_makes_the_same_bytes(built: dict[str, Path]) -> None:
    before = {name: path.read_bytes() for name, path in built.items()}
    subprocess.run([ROOT / "script" / "package", built["remsim"].parent], capture_output=True, check=True)
    assert {name: path.read_bytes() for name, path in built.items()} == before


def test_backend_has_every_module_but_the_simulator(backend: Package) -> None:
    shipped = {name for name in backend.files() if name.endswith(".py")}
    wanted = {
        f"/usr/share/remsim/python/{name.removeprefix('backend/')}"
        for name in tracked("backend")
        if name.endswith(".py") and "/simulator/" not in name
    }
    assert shipped == wanted
    assert len(wanted) > 50


def test_nothing_of_another_licence_is_shipped_in_the_backend(backend: Package) -> None:
    names = " ".join(backend.files())
    assert "simulator" not in names
    assert "drives" not in names
    assert ".csv" not in names


def test_backend_has_store_definitions_and_pages(backend: Package) -> None:
    files = set(backend.files())
    rrd = {f"/usr/share/remsim/{name}" for name in tracked("rrd") if name.endswith(".json")}
    pages = {f"/usr/share/remsim/{name}" for name in tracked("htdocs")}
    assert rrd
    assert rrd <= files
    assert pages <= files


def test_luci_app_has_its_own_files_and_the_shared_modules(luci: Package, tmp_path: Path) -> None:
    luci.unpack(tmp_path)
    manifest = (tmp_path / "www/luci-static/resources/remsim/manifest.js").read_text()
    base = re.search(r"^\tbase: '(remsim/[0-9a-f]{12})',$", manifest, re.MULTILINE)
    assert base, "the shared modules are in no folder named by their content"
    places = {
        "luci-app-remsim/htdocs/": "/www/",
        "luci-app-remsim/root/": "/",
        "luci-app-remsim/ucode/": "/usr/share/ucode/luci/",
        "htdocs/remsim/": f"/www/luci-static/resources/{base[1]}/app/",
        "htdocs/vendor/": f"/www/luci-static/resources/{base[1]}/vendor/",
    }
    wanted = {
        place + name.removeprefix(folder)
        for folder, place in places.items()
        for name in tracked(folder)
    }
    files = set(luci.files())
    catalogues = {name for name in files if name.startswith("/usr/lib/lua/luci/i18n/remsim.")}
    assert files - catalogues == wanted


def test_the_two_packages_share_no_file(backend: Package, luci: Package) -> None:
    assert not set(backend.files()) & set(luci.files())


def test_no_file_of_the_client_package_is_shipped(backend: Package, luci: Package) -> None:
    theirs = {"/etc/config/remsim", "/etc/init.d/remsim"}
    assert not theirs & (set(backend.files()) | set(luci.files()))


def test_control_fields(backend: Package, luci: Package) -> None:
    assert backend.control["Package"] == "remsim"
    assert backend.control["Version"] == f"{__version__}-r1"
    assert {"python3-gunicorn", "python3-rrdtool", "python3-marshmallow"} <= set(backend.control["Depends"].split(", "))
    assert luci.control["Package"] == "luci-app-remsim"
    assert {"luci-base", "remsim"} <= set(luci.control["Depends"].split(", "))
    for package in (backend, luci):
        assert package.control["Architecture"] == "all"
        assert int(package.control["Installed-Size"]) == sum(one.size for one in package.files().values())


def test_packages_depend_on_what_the_makefiles_say(backend: Package, luci: Package, buildroot: Path) -> None:
    for package, folder in ((backend, FEED / "remsim"), (luci, ROOT / "luci-app-remsim")):
        line = re.search(r"^depends \S+ (.*)$", run_make(folder / "Makefile", buildroot), re.MULTILINE)
        assert line is not None
        assert package.control["Depends"].split(", ") == ["libc", *line[1].replace("+", "").split()]


def test_luci_app_counts_as_newer_than_the_older_app_of_its_name(luci: Package) -> None:
    year, day, second = re.match(r"(\d+)\.(\d+)\.(\d+)~[0-9a-f]{7}$", luci.control["Version"]).groups()  # type: ignore[union-attr]
    assert int(year) >= 26
    assert 1 <= int(day) <= 366
    assert int(second) < 86400


def test_settings_survive_an_upgrade_of_the_package(backend: Package) -> None:
    conffiles = backend.control_text("conffiles").split()
    assert conffiles == ["/etc/config/remsim_console", "/etc/config/remsim_routing"]
    assert [backend.files()[name].mode for name in conffiles] == [0o600, 0o600]


def test_programs_can_be_executed_and_nothing_else(backend: Package) -> None:
    programs = {name for name, member in backend.files().items() if member.mode & 0o111}
    assert programs == {
        "/usr/bin/remsim",
        "/etc/init.d/remsim-console",
        "/etc/init.d/remsim-clients",
        "/etc/uci-defaults/90-remsim-console",
        "/etc/uci-defaults/91-remsim-scripts",
        "/usr/share/remsim/remote-sim-event.sh",
        "/usr/share/remsim/test-connection.sh",
        "/usr/share/remsim/setup-routing.sh",
    }


def test_links_to_our_scripts_go_with_the_package_and_others_stay(backend: Package, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in ("etc/remsim", "usr/bin", "usr/share/remsim"):
        (root / folder).mkdir(parents=True)
    (root / "etc/remsim/event-script.sh").symlink_to("/usr/share/remsim/remote-sim-event.sh")
    (root / "usr/bin/remsim-test-connection.sh").symlink_to("/usr/share/remsim/test-connection.sh")
    (root / "etc/remsim/own.sh").symlink_to("/root/own.sh")
    (root / "etc/remsim/mine.sh").write_text("")
    script = backend.control_text("prerm-pkg")
    environment = {"IPKG_INSTROOT": str(root), "PATH": os.defpath}
    subprocess.run(["sh", "-eu"], input=script, text=True, env=environment, check=True)
    left = {path.name for path in root.rglob("*") if path.is_symlink() or path.is_file()}
    assert left == {"mine.sh", "own.sh"}


def test_control_scripts_are_valid_shell(backend: Package, luci: Package, tmp_path: Path) -> None:
    for package in (backend, luci):
        scripts = [name for name in package.control_files.getnames() if name.startswith(("./pre", "./post"))]
        assert len(scripts) >= 3
        for name in scripts:
            text = package.control_text(name.removeprefix("./"))
            assert text.startswith("#!/bin/sh\n")
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_removal_takes_the_byte_code_along(backend: Package, tmp_path: Path) -> None:
    cache = tmp_path / "usr/share/remsim/python/remsim/core/__pycache__"
    cache.mkdir(parents=True)
    (cache / "bus.pyc").write_bytes(b"")
    script = backend.control_text("prerm-pkg")
    environment = {"IPKG_INSTROOT": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh"], input=script, text=True, env=environment, check=True)
    assert not cache.exists()


def test_the_shipped_configuration_is_the_default_one(backend: Package, tmp_path: Path) -> None:
    backend.unpack(tmp_path)
    assert load_settings(tmp_path / "etc" / "config") == Settings()


def test_the_packaged_service_runs_with_no_right_but_raw_sockets(backend: Package, tmp_path: Path) -> None:
    backend.unpack(tmp_path / "root")
    port = free_port()
    few_rights = ["setpriv", "--no-new-privs"]
    if os.geteuid() == 0:  # who is not has none to lose
        few_rights += ["--bounding-set", "-all,+net_raw", "--inh-caps", "-all,+net_raw"]
        few_rights += ["--ambient-caps", "-all,+net_raw"]
    program = [sys.executable, str(tmp_path / "root/usr/bin/remsim"), "serve", "--listen", f"127.0.0.1:{port}"]
    places = ["--config", str(tmp_path / "root/etc/config")]
    places += ["--data", str(tmp_path / "data"), "--state", str(tmp_path / "state")]
    log = tmp_path / "log"
    environment = {"container": "ujail"}  # all that procd's jail passes on: no PATH, no HOME
    # -P and another folder: the modules must be the package's, not the checkout's.
    command = [*few_rights, program[0], "-P", *program[1:], *places]
    with log.open("wb") as output, subprocess.Popen(
        command, stdout=output, stderr=output, cwd=tmp_path, env=environment
    ) as service:
        try:
            deadline = time.monotonic() + 15
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/healthz", timeout=2) as answer:
                        assert answer.status == 200
                        break
                except OSError:
                    assert service.poll() is None and time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
        finally:
            service.terminate()
            assert service.wait(60) == 0, log.read_text()
    caches = list((tmp_path / "root/usr/share/remsim/python").rglob("router.*.pyc"))
    assert caches, "the modules were not imported from the package"


@pytest.mark.parametrize("verb", [["serve", "--simulate"], ["simulate", "--dir", "somewhere"]])
def test_the_packaged_program_says_that_it_has_no_simulator(backend: Package, tmp_path: Path, verb: list[str]) -> None:
    backend.unpack(tmp_path)
    command = [sys.executable, "-P", str(tmp_path / "usr/bin/remsim"), *verb]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1
    assert done.stderr == "remsim: this installation has no simulator (it comes with the project's checkout)\n"


STUB_PACKAGE_MK = r"""
INSTALL_DIR = mkdir -p
INSTALL_BIN = install -m 755
CP = cp -fpR
PKG_INSTALL_DIR = /nowhere
all:
prepare:
	$(call Build/Prepare)
define BuildPackage
$(info package $(1))
$(if $(value Package/$(1)),,$(error $(1) is not defined))
$(eval DEPENDS:=)
$(eval $(call Package/$(1)))
$(info depends $(1) $(DEPENDS))
$(info source $(PKG_NAME) $(PKG_VERSION) $(PKG_HASH) $(PKG_LICENSE))
install-$(1):
	$$(call Package/$(1)/install,$(DEST))
endef
"""
STUB_LUCI_MK = r"""
PKG_NAME ?= luci-app-remsim
PKG_VERSION ?= 26.1.1
include $(INCLUDE_DIR)/package.mk
define Build/Prepare
	mkdir -p $(PKG_BUILD_DIR)
	$(CP) $(wildcard htdocs root ucode) $(PKG_BUILD_DIR)/
	$(call Build/Prepare/$(PKG_NAME))
endef
define Package/luci-app-remsim
  DEPENDS:=$(LUCI_DEPENDS)
endef
$(eval $(call BuildPackage,luci-app-remsim))
"""
STUB_PYTHON_MK = r"""
define Py3Package
Package/$(1)-src = $(value Package/$(1))
endef
"""


@pytest.fixture
def buildroot(tmp_path: Path) -> Path:
    """The few files of a buildroot that the Makefiles include, as far as they are needed to read them."""
    top = tmp_path / "sdk"
    files = {
        "rules.mk": "INCLUDE_DIR := $(TOPDIR)/include\nPKG_HASH :=\n",
        "include/package.mk": STUB_PACKAGE_MK,
        "include/nls.mk": "INTL_DEPENDS := +PACKAGE_nls\n",
        "feeds/luci/luci.mk": STUB_LUCI_MK,
        "feeds/packages/lang/python/pypi.mk": "$(if $(PYPI_NAME),,$(error pypi.mk wants PYPI_NAME))\n",
        "feeds/packages/lang/python/python3-package.mk": STUB_PYTHON_MK,
    }
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top


def run_make(makefile: Path, buildroot: Path, *targets: str) -> str:
    command = ["make", "--warn-undefined-variables", "-s", "-C", str(makefile.parent), f"TOPDIR={buildroot}"]
    command += [f"PKG_BUILD_DIR={buildroot / 'build'}", f"DEST={buildroot / 'dest'}", *(targets or ("-n", "all"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"missing separator|Makefile:\d+:", done.stderr), done.stderr
    return done.stdout


@pytest.mark.parametrize("makefile", MAKEFILES, ids=lambda path: path.parent.name)
def test_makefiles_are_read_and_tell_their_packages(makefile: Path, buildroot: Path) -> None:
    out = run_make(makefile, buildroot)
    packages = re.findall(r"^package (\S+)$", out, re.MULTILINE)
    assert packages
    for dependency in re.findall(r"\+(\S+)", " ".join(re.findall(r"^depends .*$", out, re.MULTILINE))):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", dependency)


def test_the_feed_builds_what_its_packages_depend_on(buildroot: Path) -> None:
    """Names that OpenWrt's own feeds do not have must be ours."""
    output = "".join(run_make(makefile, buildroot) for makefile in MAKEFILES)
    ours = set(re.findall(r"^package (\S+)$", output, re.MULTILINE))
    wanted = set(re.findall(r"\+(\S+)", output))
    openwrt = {"PACKAGE_nls", "glib2", "libpthread", "luci-base", "rpcd-mod-ucode", "python3", "python3-light"}
    openwrt |= {f"python3-{name}" for name in ("flask", "marshmallow", "jinja2", "pyserial")}
    openwrt |= {"nftables-json", "kmod-nf-conntrack-netlink", "kmod-nfnetlink-log"}
    openwrt |= {f"kmod-nft-{name}" for name in ("core", "fib", "nat")}
    openwrt |= {f"ucode-mod-{name}" for name in ("fs", "socket", "ubus", "uci", "uloop")}
    assert wanted - openwrt <= ours
    assert {"remsim", "luci-app-remsim", "python3-gunicorn", "python3-rrdtool", "librrd"} <= ours


@pytest.mark.parametrize("name", ["python3-gunicorn", "python3-rrdtool", "rrdtool", "mobile-broadband-provider-info"])
def test_what_is_downloaded_is_pinned_by_its_hash(name: str, buildroot: Path) -> None:
    out = run_make(FEED / name / "Makefile", buildroot)
    assert re.search(r"^source \S+ [\d.]+ [0-9a-f]{64} \S+$", out, re.MULTILINE), out


def test_the_sdk_lays_the_backend_out_as_script_package_does(backend: Package, buildroot: Path) -> None:
    run_make(FEED / "remsim" / "Makefile", buildroot, "prepare", "install-remsim")
    dest = buildroot / "dest"
    laid = {f"/{path.relative_to(dest)}": path.stat().st_mode & 0o777 for path in dest.rglob("*") if path.is_file()}
    assert laid == {name: member.mode for name, member in backend.files().items()}


def test_the_sdk_copies_the_shared_modules_into_the_luci_app(luci: Package, buildroot: Path) -> None:
    run_make(ROOT / "luci-app-remsim" / "Makefile", buildroot, "prepare")
    htdocs = buildroot / "build" / "htdocs"
    laid = {f"/www/{path.relative_to(htdocs)}" for path in htdocs.rglob("*") if path.is_file()}
    assert laid == {name for name in luci.files() if name.startswith("/www/")}


@pytest.mark.parametrize("name", ["python3-gunicorn", "python3-rrdtool"])
def test_python_packages_bring_what_builds_them(name: str) -> None:
    """OpenWrt builds wheels without isolation, and its host Python comes without setuptools."""
    depends = re.search(r"^PKG_BUILD_DEPENDS:=(.*)$", (FEED / name / "Makefile").read_text(), re.MULTILINE)
    assert depends is not None
    assert "python-setuptools/host" in depends[1].split()


def test_the_rrdtool_package_has_no_graphs_and_no_libraries_for_them() -> None:
    makefile = (FEED / "rrdtool" / "Makefile").read_text()
    assert "--disable-rrd_graph" in makefile
    assert not re.search(r"\+(cairo|pango|libpng|libart)", makefile)


PATCHES = sorted(FEED.glob("*/patches/*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_a_patch_is_well_formed(patch: Path) -> None:
    """Counts of each hunk must be those of its header, as ``patch`` wants them."""
    lines = patch.read_text().splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("@@")]
    assert heads
    for number, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        match = re.match(r"@@ -\d+,(\d+) \+\d+,(\d+) @@", lines[number])
        assert match is not None
        body = lines[number + 1 : end]
        assert sum(line[:1] in (" ", "-", "") for line in body) == int(match[1])
        assert sum(line[:1] in (" ", "+", "") for line in body) == int(match[2])


def test_the_binding_needs_nothing_that_newer_pythons_lack() -> None:
    """OpenWrt has Python 3.14; 3.13 took away what the released binding still calls."""
    removed = [line for patch in PATCHES for line in patch.read_text().splitlines() if line.startswith("-    ")]
    assert any("PyEval_ThreadsInitialized()" in line for line in removed)
