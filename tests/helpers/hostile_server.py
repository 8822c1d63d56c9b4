"""A Prefect server that says of every run that it has ended, with what an attacker likes."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.helpers.waiting import LAST_RESORT


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def stored_pickle(folder: Path, marker: Path, serializer: dict[str, Any] | None) -> Path:
    """Write a result as Prefect stores one; reading it with a pickle's serialiser makes a file."""
    metadata = {"storage_key": str(folder / "result"), "prefect_version": "3.8.8"}
    result = base64.encodebytes(pickle.dumps(Touch(marker))).decode()
    record = {"metadata": metadata | ({"serializer": serializer} if serializer else {})}
    (folder / "result").write_text(json.dumps(record | {"result": result}))
    return folder / "result"


@contextlib.contextmanager
def ending_runs(server: str, state: dict[str, Any]) -> Iterator[str]:
    """Answer as ``server`` does, but that a run about to begin is in ``state``; gives the URL."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {
                k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}
            }
            answer = client.request(self.command, where + self.path, content=asked, headers=kept)
            told = answer.content
            begins = re.fullmatch(r"/api/flow_runs/[\w-]+/set_state", self.path)
            if begins and json.loads(asked)["state"]["type"] == "RUNNING":
                details = {"type": "reject_details", "reason": "it has ended"}
                told = json.dumps({"status": "REJECT", "details": details, "state": state}).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_PATCH = do_PUT = do_DELETE = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    where = server.removesuffix("/api")
    with httpx.Client(trust_env=False, timeout=LAST_RESORT) as client:
        listening = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/api"
        finally:
            listening.shutdown()
            listening.server_close()
            thread.join()
