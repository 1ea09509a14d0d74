"""The webhook that alerts are told in a test: prints a line for each alert, its name and state."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final

PORT: Final = 8080


class AlertReceiver(BaseHTTPRequestHandler):
    """Takes what Alertmanager posts."""

    def do_POST(self) -> None:
        """Print the alerts of a notification."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            labels = alert["labels"]
            print("told", labels["alertname"], labels.get("service", "-"), alert["status"])
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("0.0.0.0", PORT), AlertReceiver).serve_forever()  # noqa: S104  to alertmanager alone
