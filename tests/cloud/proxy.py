# SPDX-License-Identifier: Apache-2.0
"""The middle of a TCP connection, where it can be cut."""

import socket
import struct
import threading

PIECE = 1 << 16


class Straight:
    """Nothing in the middle: how Proxy is called where nothing is to be cut."""

    def __init__(self, port):
        self.port = port

    def close(self):
        pass


class Proxy:
    """Passes on what comes to its port of the loopback interface. Cut, it resets every connection, and each new one."""

    def __init__(self, port):
        """port: of whom it passes everything to."""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._guard = threading.Lock()
        self._ends, self._is_cut = set(), False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        with self._guard:
            self._is_cut = True
            ends, self._ends = self._ends, set()
        for end in ends:
            reset(end)

    def mend(self):
        with self._guard:
            self._is_cut = False

    def close(self):
        """For good; once more does nothing."""
        self.cut()
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self):
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._join(caller)

    def _join(self, caller):
        try:
            called = socket.create_connection(("127.0.0.1", self._target), timeout=10)
        except OSError:
            return reset(caller)
        called.settimeout(None)
        with self._guard:
            if not self._is_cut:
                self._ends |= {caller, called}
                for source, sink in ((caller, called), (called, caller)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()
                return None
        reset(called)
        return reset(caller)

    def _pass_on(self, source, sink):
        try:
            while piece := source.recv(PIECE):
                sink.sendall(piece)
        except OSError:
            pass
        with self._guard:
            ours = {source, sink} & self._ends
            self._ends -= ours
        for end in ours:
            reset(end)


def reset(end):
    """Ends a connection so that the other side learns of it at once, also in a thread that waits for it."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
