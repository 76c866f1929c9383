"""A pod's server: answers every GET with a name. Arguments: the name, the port."""

import sys
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

name, port = sys.argv[1], int(sys.argv[2])


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"I am {name}, asked by {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# HTTPServer would ask the DNS for its own name.
ThreadingTCPServer.allow_reuse_address = True
ThreadingTCPServer.daemon_threads = True
ThreadingTCPServer(("", port), Page).serve_forever()
