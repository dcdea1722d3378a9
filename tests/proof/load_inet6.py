#!/usr/bin/python3
"""load_inet6 PORT UID GID PROGRAM...: for each connection to ::1 the program, under tcp-env, as
that user; for load.t, since this host's tcpserver may not know IPv6. inetd does the same."""
import os, signal, socket, sys

port, uid, gid = map(int, sys.argv[1:4])
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("::1", port), family=socket.AF_INET6, backlog=100)
while True:
    connection, _ = listener.accept()
    if os.fork():
        connection.close()
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
    os.execv(sys.argv[4], sys.argv[4:])
