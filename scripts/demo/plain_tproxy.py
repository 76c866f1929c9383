"""A transparent proxy as it is commonly written, and as Kube-OVN v1.17.0 has one: it accepts the kubelet's connection and
only then connects to the pod, from inside the pod's network namespace. Arguments: the port, the namespace's file.
"""

import ctypes
import os
import socket
import sys
import threading

IP_TRANSPARENT = 19
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def relay(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, pod):
    if libc.setns(pod, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "enter the pod's namespace")
    with client:
        try:
            # The connection's own address is the one that the kubelet meant.
            server = socket.create_connection(client.getsockname(), timeout=1)
        except OSError:
            return
        with server:
            threading.Thread(target=relay, args=(client, server), daemon=True).start()
            relay(server, client)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
listener.bind(("", int(sys.argv[1])))
listener.listen(128)
pod = os.open(sys.argv[2], os.O_RDONLY)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0], pod), daemon=True).start()
