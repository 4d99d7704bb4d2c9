"""An HTTPS proxy for one fake Garmin: takes CONNECT for any host, answers TLS itself, and leads the bytes to the fake.

It knows TCP and TLS, no HTTP beyond the CONNECT line, and no way to anywhere else.
"""

import socket
import ssl
import threading


def start(fake: tuple[str, int], certificate: str, key: str) -> int:
    """Serves for as long as the process lives; the port it listens on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, fake, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def serve(client: socket.socket, fake: tuple[str, int], context: ssl.SSLContext) -> None:
    try:
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return
            head += more
        if not head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with context.wrap_socket(client, server_side=True) as inside, socket.create_connection(fake) as outside:
            there = threading.Thread(target=pump, args=(inside, outside), daemon=True)
            there.start()
            pump(outside, inside)
            there.join()
    except OSError:
        # One end has gone; so does the other.
        pass
    finally:
        client.close()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
