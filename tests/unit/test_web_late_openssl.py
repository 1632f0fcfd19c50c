"""OpenSSL comes late, but whoever needs it gets it. In processes of their own: imports cannot be undone."""

from __future__ import annotations

import subprocess
import sys

import pytest

PUT_OFF = "from remsim.web.late_openssl import *; import sys; put_off_openssl()\n"


def run(text: str) -> str:
    ended = subprocess.run([sys.executable, "-c", PUT_OFF + text], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_server_and_its_application_run_without_openssl() -> None:
    loaded = run(
        "import_without_tls('gunicorn.app.base', 'gunicorn.workers.gthread', 'werkzeug.serving')\n"
        "import remsim.web.worker, remsim.web.app, remsim.web.sender, remsim.router\n"
        "print([name for name in ('_ssl', '_hashlib') if name in sys.modules])"
    )
    assert loaded == "[]"


@pytest.mark.parametrize(
    "use",
    [
        "import ssl; print(ssl.create_default_context().check_hostname)",
        "from ssl import SSLContext, SSLError; print(issubclass(SSLError, OSError))",
        "import http.client as c, ssl; c.HTTPSConnection('x', context=ssl.create_default_context()); print(True)",
        "import urllib.request; urllib.request.HTTPSHandler(); print(True)",
        "import hashlib; print(len(hashlib.scrypt(b'a', salt=b'b', n=2, r=1, p=1)) == 64)",
        "import hashlib; print(len(hashlib.pbkdf2_hmac('sha256', b'a', b'b', 1)) == 32)",
        "import hashlib; print(hashlib.sha256(b'').hexdigest().startswith('e3b0c442'))",
        "import hashlib; print(hashlib.new('sha512', b'').digest_size == 64)",
        "import hmac; print(hmac.new(b'k', b'm', 'sha256').digest() == hmac.digest(b'k', b'm', 'sha256'))",
        "import secrets, random, uuid; print(True)",
        "from werkzeug.security import *; print(check_password_hash(generate_password_hash('x'), 'x'))",
        "import asyncio, ssl; print(isinstance(ssl.create_default_context(), ssl.SSLContext))",
    ],
)
def test_who_needs_openssl_gets_it(use: str) -> None:
    assert run("import http.server; import_without_tls('gunicorn.app.base', 'werkzeug.serving')\n" + use) == "True"


def test_what_neither_has_is_an_attribute_error_as_ever() -> None:
    assert run("import hashlib, ssl; print(hasattr(hashlib, 'nothing'), hasattr(ssl, 'nothing'))") == "False False"
