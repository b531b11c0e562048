"""nginx with and without TLS: as the fastest possible iManage with one document, or in front of a practice one."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.measure import MissingToolError
from tests.support.stack import free_port, until

DOCUMENT = "Active!1.1"
FOLDER = "Active!2"
BASE = "work/api/v2/customers/1"
COMMON = """
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/tls.pem;
    ssl_certificate_key {folder}/tls.key;
    {http}
}}
"""
ONE_DOCUMENT = """
    lingering_time 600s;
    lingering_timeout 60s;
    default_type application/json;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        location ~ /download$ {{ default_type application/octet-stream; alias {content}; }}
        location ~ /folders/ {{
            client_body_in_file_only clean;
            rewrite ^ /stored break;
            proxy_pass http://127.0.0.1:{plain};
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
        location /stored {{ return 201 '{stored}'; }}
        location / {{ return 200 '{stored}'; }}
    }}
"""
IN_FRONT = """
    proxy_cache_path {folder}/kept keys_zone=kept:1m use_temp_path=off;
    proxy_max_temp_file_size 0;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    upstream practice {{ server 127.0.0.1:{port}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        location / {{ proxy_pass http://practice; }}
        location ~ /download$ {{
            proxy_pass http://practice;
            proxy_cache kept;
            proxy_cache_key $uri;
            proxy_cache_valid 200 1h;
            proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
        }}
    }}
"""


@dataclass(frozen=True)
class Wire:
    """The origins without and with TLS, and the certificate to trust for the latter."""

    plain: str
    tls: str
    certificate: Path | None

    def download(self, origin: str) -> str:
        return f"{origin}/{BASE}/libraries/Active/documents/{DOCUMENT}/download"

    def sink(self, origin: str) -> str:
        return f"{origin}/{BASE}/libraries/Active/folders/{FOLDER}/documents"


@contextmanager
def nginx(folder: Path, content: Path, sha256: str) -> Iterator[Wire]:
    """Serve this file as the one document, and accept any upload."""
    plain, tls = free_port(), free_port()
    profile = {
        "id": DOCUMENT,
        "version": 1,
        "name": "Bench",
        "extension": "bin",
        "size": content.stat().st_size,
        "checksum": f"SHA256:{sha256}",
    }
    stored = json.dumps({"data": profile})
    http = ONE_DOCUMENT.format(folder=folder, plain=plain, tls=tls, content=content, stored=stored)
    with _running(folder, http, plain) as certificate:
        yield Wire(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}", certificate)


@contextmanager
def in_front(folder: Path, port: int) -> Iterator[Wire]:
    """TLS in front of a practice iManage. Downloads are cached."""
    tls = free_port()
    folder.mkdir()
    with _running(folder, IN_FRONT.format(folder=folder, port=port, tls=tls), tls) as certificate:
        yield Wire(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls}", certificate)


@contextmanager
def _running(folder: Path, http: str, port: int) -> Iterator[Path]:
    """nginx with this configuration, once it listens; yields the certificate to trust."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise MissingToolError("nginx is missing. Install it as root: apt-get install nginx-light")
    _make_certificate(folder)
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(COMMON.format(user=user, folder=folder, http=http))
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration), "-e", str(folder / "nginx.log")],
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _listens(port), "nginx")
        yield folder / "tls.pem"
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
