"""A small client of the API server: JSON over one kept connection, as the admin of the cluster."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote

JSON = "application/json"
YAML = "application/yaml"
MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Not for two threads at once; OSError where the server cannot be reached."""

    def __init__(self, port: int, pki: Path) -> None:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=10
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path)

    def list(self, path: str, labels: str = "") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(f"{path}?labelSelector={quote(labels)}")["items"]
        return items

    def find(self, path: str) -> dict[str, Any] | None:
        """The object, or None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: dict[str, Any] | bytes) -> None:
        """Create an object, from YAML where it is bytes; one that exists is left as it is."""
        try:
            if isinstance(body, bytes):
                self._call("POST", path, body, YAML)
            else:
                self._call("POST", path, json.dumps(body).encode(), JSON)
        except ApiError as error:
            if error.status != http.HTTPStatus.CONFLICT:
                raise

    def merge(self, path: str, patch: dict[str, Any]) -> None:
        self._call("PATCH", path, json.dumps(patch).encode(), MERGE_PATCH)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(
        self, method: str, path: str, body: bytes | None = None, content_type: str = JSON
    ) -> dict[str, Any]:
        try:
            headers = {"Content-Type": content_type, "Accept": JSON}
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self._connection.close()
            raise
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(answer.status, f"{method} {path}: {text[:500]}")
        content: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        return content
