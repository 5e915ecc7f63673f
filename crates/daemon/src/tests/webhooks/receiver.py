"""The receiver of docs/webhooks.md behind a server. Its arguments are the page and the secret; it prints its port."""

import http.server
import json
import sys
from datetime import datetime, timezone

page, SECRET = sys.argv[1:]
queued = []


def first_time(key):
    return all(event["id"] != key for event in queued)


def queue(event):
    queued.append(event)


with open(page, encoding="utf-8") as text:
    exec(text.read().split("```python\n")[1].split("```")[0])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, queued)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/sign":
            now = datetime.now(timezone.utc)
            signature = Webhook(SECRET).sign("m1", now, body.decode())
            self.answer(200, {"timestamp": str(int(now.timestamp())), "signature": signature})
            return
        try:
            self.answer(receive(body, dict(self.headers)), None)
        except Exception as error:
            self.answer(400, f"{type(error).__name__}: {error}")

    def answer(self, status, said):
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        if body:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
