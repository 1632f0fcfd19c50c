"""The safe ways to a router's metrics, as they are shipped: nginx with a password or certificates, a list by HTTP."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_server import PATH, PrometheusServer, running_prometheus
from running import RunningService, free_port, running_service

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
NGINX, OPENSSL = shutil.which("nginx", path=PATH), shutil.which("openssl")
PASSWORD = "for the fleet"
BY_PASSWORD = """	auth_basic "metrics";
	auth_basic_user_file /etc/nginx/remsim-metrics.htpasswd;
"""
BY_CERTIFICATE = "	if ($ssl_client_verify != SUCCESS) { return 403; }\n"


@dataclass(frozen=True)
class Site:
    """A router behind nginx; ``secrets`` has what the variants name."""

    secrets: Path
    password_port: int
    certificate_port: int


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([str(OPENSSL), *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def make_certificates(folder: Path) -> None:
    """As the manual says."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    own = ("-days", "3650", "-subj", "/CN=fleet", "-keyout", "ca.key", "-out", "fleet-ca.crt")
    openssl(folder, "req", "-x509", *key, *own)
    for name in ("prometheus", "router"):
        openssl(
            folder,
            *("req", "-new", *key, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        openssl(
            folder,
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "fleet-ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-copy_extensions", "copy", "-days", "730", "-out", f"{name}.crt"),
        )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("router"), "--simulate=1", "--backfill", "0") as service:
        yield service


@pytest.fixture(scope="module")
def site(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The locations as they are shipped, but for folder and port; for certificates changed as their comment says."""
    folder = tmp_path_factory.mktemp("nginx")
    site = Site(folder, free_port(), free_port())
    make_certificates(folder)
    (folder / "fleet.password").write_text(PASSWORD)
    (folder / "remsim-metrics.htpasswd").write_text(f"prometheus:{{PLAIN}}{PASSWORD}\n")
    (folder / "remsim-metrics.token").write_text(f'proxy_set_header Authorization "Bearer {service.token}";\n')
    shipped = (MONITORING / "nginx" / "metrics.locations").read_text("utf-8")
    assert shipped.count(BY_PASSWORD) == 1
    assert BY_CERTIFICATE.strip() in shipped
    for name, text in {"password": shipped, "certificate": shipped.replace(BY_PASSWORD, BY_CERTIFICATE)}.items():
        text = text.replace("/etc/nginx/", f"{folder}/").replace("127.0.0.1:8090", f"127.0.0.1:{service.port}")
        (folder / f"{name}.locations").write_text(text)
    tls = f"ssl_certificate {folder}/router.crt; ssl_certificate_key {folder}/router.key;"
    verify = f"ssl_client_certificate {folder}/fleet-ca.crt; ssl_verify_client optional;"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{one}_temp_path {folder}/{one};" for one in kinds)
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; {temporary}
    server {{ listen 127.0.0.1:{site.password_port} ssl; {tls} include {folder}/password.locations; }}
    server {{ listen 127.0.0.1:{site.certificate_port} ssl; {tls} {verify} include {folder}/certificate.locations; }}
}}
"""
    )
    process = subprocess.Popen([str(NGINX), "-e", f"{folder}/error.log", "-p", str(folder), "-c", "nginx.conf"])
    try:
        deadline = time.monotonic() + 5
        while asked(site, site.password_port) is None:
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield site
    finally:
        process.terminate()
        process.wait(60)


def asked(site: Site, port: int, path: str = "/remsim/metrics", *, certificate: bool = False) -> int | None:
    """The status somebody gets who has no password; None when nobody listens."""
    context = ssl.create_default_context(cafile=str(site.secrets / "fleet-ca.crt"))
    if certificate:
        context.load_cert_chain(site.secrets / "prometheus.crt", site.secrets / "prometheus.key")
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", timeout=10, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def make_targets(folder: Path, name: str, port: int) -> None:
    """A list of one router, by the tool."""
    table = folder / f"{name}.csv"
    table.write_text(f"address,router_id,site\n127.0.0.1:{port},{name},here\n")
    program = MONITORING / "prometheus" / "make-targets"
    command = [sys.executable, str(program), str(table), str(folder / f"{name}.json")]
    subprocess.run(command, check=True, capture_output=True, timeout=20)


@pytest.fixture(scope="module")
def prometheus(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """The shipped variants at once, each a job with the router by its name."""
    folder = tmp_path_factory.mktemp("prometheus")
    jobs = []
    for name, port in {"tls-basic-auth": site.password_port, "client-certificate": site.certificate_port}.items():
        make_targets(folder, name, port)
        jobs.append(job_of(f"fleet-{name}", site, folder / f"{name}.json"))
    make_targets(folder, "http-sd", site.certificate_port)
    jobs.append(job_of("fleet-http-sd", site, folder / "http-sd.json"))
    serve = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    jobs[-1]["http_sd_configs"][0]["url"] = f"http://127.0.0.1:{server.server_port}/http-sd.json"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "prometheus.yml").write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
    )
    try:
        with running_prometheus(folder / "prometheus.yml") as prometheus:
            yield prometheus
    finally:
        server.shutdown()
        server.server_close()


def job_of(variant: str, site: Site, targets: Path) -> dict[str, Any]:
    """The scrape configuration of a variant as it is shipped, but for folders and its name."""
    text = (MONITORING / "prometheus" / "variants" / f"{variant}.yml").read_text("utf-8")
    text = text.replace("../secrets/", f"{site.secrets}/").replace("../targets/*.json", str(targets))
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job["job_name"] == "remsim"
    return {**job, "job_name": variant}


@pytest.mark.parametrize("name", ["tls-basic-auth", "client-certificate", "http-sd"])
def test_prometheus_comes_in_this_way(name: str, prometheus: PrometheusServer) -> None:
    (sample,) = prometheus.wait_for(f'remsim_connection_status{{job="fleet-{name}"}}')
    assert sample["metric"]["router_id"] == name, "the list's name counts, not the router's own"
    assert sample["metric"]["site"] == "here"
    assert "exported_router_id" not in sample["metric"]
    assert prometheus.value(f'up{{router_id="{name}"}}') == 1


def test_nobody_else_comes_in(site: Site) -> None:
    assert asked(site, site.password_port) == 401
    assert asked(site, site.password_port, certificate=True) == 401
    assert asked(site, site.certificate_port) == 403
    assert asked(site, site.certificate_port, certificate=True) == 200


def test_nothing_else_is_behind_it(site: Site) -> None:
    """The token that nginx adds opens nothing but the metrics."""
    for path in ("/remsim/", "/remsim/api/v1/modems", "/api/v1/modems", "/remsim/metrics/../api/v1/modems"):
        assert asked(site, site.certificate_port, path, certificate=True) == 404
