#!/usr/bin/python3
"""Other people's programs: swaks with AUTH and TLS, smtp-source, smtp-sink, fetchmail."""
import ssl
from reqmail import *

if not (root and private):
    skip_all("accounts with passwords need root and an /etc of their own")
tree = Tree()
UNPACKED = os.path.join(SOURCE, "build/unpacked")
SERVER = ["tcpserver", "-RH", "-l", ME, "-c", "50"]


def other(name):
    """Path of a program of another mail system, or None; see tests/packages."""
    path = os.path.join(UNPACKED, name)
    if not os.path.exists(path):
        return None
    libraries = subprocess.run(["ldd", path], stdout=subprocess.PIPE, env=LIBRARIES, timeout=20).stdout
    return None if b"not found" in libraries else path


LIBRARIES = {"LD_LIBRARY_PATH": UNPACKED + "/usr/lib/postfix", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 20).close()
        return True
    except OSError:
        return False


def tcpserver(program, env=None):
    """tcpserver with that program as the daemon user; its port and process."""
    port = free_port()
    uid, gid = tree.ids(1)
    process = subprocess.Popen(SERVER + ["-u", str(uid), "-g", str(gid), "127.0.0.1", str(port)] + program, env=dict(LIBRARIES, **env or {}),
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    atexit.register(process.kill)
    wait_for(lambda: listens(port))
    return port, process


# -- swaks: AUTH, PIPELINING, STARTTLS

CHECK = tree.bin("checkpassword")
accounts = Accounts(tree)
carol = accounts.add("carol", hashed("sesame"))
dave = tree.user("dave")
have_swaks, have_openssl = shutil.which("swaks"), shutil.which("openssl")
have_tls = have_swaks and have_openssl and subprocess.run(["perl", "-MNet::SSLeay", "-e", "1"], stderr=subprocess.DEVNULL).returncode == 0


def swaks(port, *arguments):
    run = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(port), "--helo", "client.test", "--from", "carol@" + ME,
                          "--to", "dave@" + ME] + list(arguments), capture_output=True, timeout=60)
    return run.returncode, run.stdout.decode("latin1")


def newest(home, subject):
    """The message with that subject, once it is there."""
    return wait_for(lambda: next((m for m in maildir(home) if b"\nSubject: %s\n" % subject.encode() in m), None)) or b""


if have_swaks and os.path.exists(CHECK):
    auth = CHECK + "-auth"
    nofiles = os.environ.get("CONF_GROUPS", "qmail nofiles").split()[1]
    subprocess.run(["install", "-o", "root", "-g", nofiles, "-m", "4710", CHECK, auth], check=True)
    atexit.register(os.unlink, auth)
    clear, secure = free_port(), free_port()
    login = ("--auth-user", "carol", "--auth-password", "sesame")
    pem = os.path.join(tree.scratch, "pem")
    if have_tls:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + ME,
                        "-days", "2", "-keyout", pem + ".key", "-out", pem], check=True, capture_output=True, timeout=60)
        write(pem, read(pem) + read(pem + ".key"))
    # the same file may be where the server's user cannot go
    tlsd = write(os.path.join(tree.scratch, "tlsd"), read(os.path.join(SOURCE, "tests/system/tlsd")), mode=0o755)
    with tree.running("./Maildir/"), Services(tree, {"submission": {"LISTEN": "127.0.0.1", "PORT": clear, "FORCETLS": "0"}}) as services:
        services.wait_log("submission", "tcpserver: status: 0/40")
        for number, (kind, how) in enumerate((("PLAIN", ()), ("LOGIN", ()), ("PLAIN", ("--pipeline",)), ("LOGIN", ("--pipeline",)))):
            name = "swaks AUTH %s %s" % (kind, " ".join(how))
            code, text = swaks(clear, "--auth", kind, "--h-Subject", "clear %d" % number, *login, *how)
            ok(code == 0 and "235 ok, go ahead (#2.0.0)" in text, name, text)
            found(rb"^Received: .*\n?.*\(carol@127\.0\.0\.1\)\n  by here\.test with ESMTPA; ", newest(dave, "clear %d" % number), name + ": ESMTPA")
        code, text = swaks(clear, "--auth", "PLAIN", "--auth-user", "carol", "--auth-password", "wrong")
        ok(code == 28 and "535 authentication failed (#5.7.1)" in text, "swaks AUTH with a wrong password", text)
        code, text = swaks(clear, "--auth", "CRAM-MD5", *login)
        ok(code == 28, "swaks AUTH CRAM-MD5 is not offered", text)

    shutil.rmtree(os.path.join(tree.scratch, "service"))
    if have_tls:
        with tree.running("./Maildir/"), Services(tree, {
                "submission": {"LISTEN": "127.0.0.1", "PORT": clear, "SERVER": "tcpserver", "WRAP": "%s %s" % (tlsd, pem)},
                "smtp": {"LISTEN": "127.0.0.1", "PORT": secure, "WRAP": "%s %s" % (tlsd, pem)}}) as services:
            services.wait_log("submission", "tcpserver: status: 0/40")
            services.wait_log("smtp", "tcpserver: status: 0/40")
            for how in ((), ("--pipeline",)):
                name = "swaks --tls " + " ".join(how)
                subject = "tls%d" % len(how)
                code, text = swaks(secure, "--tls", "--h-Subject", subject, *how)
                ok(code == 0 and "220 ready for tls" in text and text.count("STARTTLS") == 2, name, text)
                found(rb"^  by here\.test with ESMTPS \([A-Z0-9?_-]+ encrypted\); ", newest(dave, subject), name + ": ESMTPS")
                code, text = swaks(clear, "--tls", "--auth", "PLAIN", "--h-Subject", subject + "auth", *login, *how)
                ok(code == 0 and text.count("250-AUTH") == 1, name + " with AUTH, listed inside only", text)
                found(rb"^  by here\.test with ESMTPSA \([A-Z0-9?_-]+ encrypted, authenticated\); ", newest(dave, subject + "auth"), name + ": ESMTPSA")
            code, text = swaks(clear, "--auth", "PLAIN", *login)
            ok(code == 28 and "235" not in text, "no AUTH without TLS", text)

            # Plain text behind STARTTLS is not part of what TLS protects.
            s = socket.create_connection(("127.0.0.1", secure), 20)
            s.recv(1000)
            s.sendall(b"EHLO client.test\r\nMAIL FROM:<before@far.test>\r\nRCPT TO:<dave@here.test>\r\nRSET\r\n")
            text = b""
            while b"flushed" not in text:
                text += s.recv(1000)
            s.sendall(b"STARTTLS\r\nMAIL FROM:<injected@far.test>\r\nRCPT TO:<dave@here.test>\r\nEHLO injected\r\n")
            text = s.recv(1000)
            same(text, b"220 ready for tls\r\n", "STARTTLS with text behind it: one reply")
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(s) as inside, inside.makefile("rwb") as stream:
                stream.write(b"RCPT TO:<dave@here.test>\r\nSTARTTLS\r\nEHLO client.test\r\nQUIT\r\n")
                stream.flush()
                replies = stream.read().decode()
            same(replies, "503 MAIL first (#5.5.1)\r\n502 unimplemented (#5.5.1)\r\n250-%s\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n221 %s\r\n" % (ME, ME),
                 "it is dropped, and so is what was said before")
    else:
        skip(11, "swaks does TLS with Net::SSLeay, and openssl makes the certificate")
    shutil.rmtree(os.path.join(tree.scratch, "service"), ignore_errors=True)
else:
    skip(21, "no swaks or no checkpassword here")

# -- smtp-source and smtp-sink: many messages

COUNT = 200
source, sink = other("usr/sbin/smtp-source"), other("usr/sbin/smtp-sink")
if source and sink:
    erin = tree.user("erin")
    port, server = tcpserver([tree.bin("qmail-smtpd")])
    with tree.running("./Maildir/"):
        run = subprocess.run([source, "-s", "10", "-m", str(COUNT), "-l", "4000", "-f", "frank@far.test", "-t", "erin@" + ME, "127.0.0.1:%d" % port],
                             env=LIBRARIES, capture_output=True, timeout=60)
        same((run.returncode, run.stderr), (0, b""), "smtp-source sends %d messages in 10 sessions" % COUNT)
        ok(tree.wait_done(COUNT, 60), "all leave the queue")
        messages = maildir(erin)
        same(len(messages), COUNT, "all are in the maildir")
        same(len({re.search(rb"^Message-Id: (.*)", m, re.M | re.I).group(1) for m in messages}), COUNT, "each of them once")
    server.terminate()
    server.wait(20)

    dump = os.path.join(tree.scratch, "dump")
    os.mkdir(dump)
    os.chmod(dump, 0o777)
    port = free_port()
    process = subprocess.Popen([sink, "-u", "nobody", "-d", dump + "/%M.", "127.0.0.1:%d" % port, "100"], env=LIBRARIES, stdin=subprocess.DEVNULL, cwd=dump)
    atexit.register(process.kill)
    wait_for(lambda: listens(port))
    tree.control("smtproutes", "far.test:127.0.0.1:%d\n" % port)
    tree.control("concurrencyremote", "10\n")
    with tree.running("./Maildir/"):
        for number in range(COUNT):
            tree.queue(b"Subject: number %d\n\n.\n..\n" % number, "erin@" + ME, ["frank@far.test"])
        ok(tree.wait_done(COUNT, 60), "qmail-remote sends %d messages" % COUNT)
        same(len(re.findall("success: 127.0.0.1_accepted_message", tree.log())), COUNT, "each is accepted")
    process.terminate()
    process.wait(20)
    received = [read(os.path.join(dump, n)) for n in os.listdir(dump)]
    subjects = sorted(int(n) for text in received for n in re.findall(rb"^Subject: number (\d+)", text, re.M))
    same(subjects, list(range(COUNT)), "smtp-sink receives each once")
    tree.control("smtproutes", None)
    tree.control("concurrencyremote", None)
else:
    skip(7, "no smtp-source and smtp-sink that run here")

# -- fetchmail: from POP3 to SMTP

fetchmail = other("usr/bin/fetchmail")
if fetchmail and os.path.exists(CHECK):
    gina = tree.user("gina")
    with tree.running("./Maildir/"):
        for number in range(3):
            where = os.path.join(carol, "Maildir/new", "%d.test" % (1000000 + number))
            write(where, b"Return-Path: <h@far.test>\nFrom: h@far.test\nTo: carol@here.test\nSubject: number %d\nMessage-Id: <%d@far.test>\n\n.\n..x\nend\n" % (number, number),
                  owner=(os.stat(carol).st_uid, os.stat(carol).st_gid))
            os.utime(where, (1000000 + number,) * 2)
        smtp_port, _ = tcpserver([tree.bin("qmail-smtpd")])
        pop_port = free_port()
        with Services(tree, {"pop3": {"LISTEN": "127.0.0.1", "PORT": pop_port}}) as services:
            services.wait_log("pop3", "tcpserver: status: 0/40")
            home = os.path.join(tree.scratch, "fetchmail")
            os.mkdir(home)
            rc = write(home + "/rc", "poll 127.0.0.1 protocol pop3 port %d user carol password sesame smtphost 127.0.0.1/%d smtpname gina@%s fetchall sslproto ''\n"
                       % (pop_port, smtp_port, ME), 0o600)
            run = subprocess.run([fetchmail, "-f", rc, "--nodetach", "--nosyslog", "-v"], capture_output=True, timeout=60,
                                 env=dict(LIBRARIES, FETCHMAILHOME=home, HOME=home, USER="carol"))
            ok(run.returncode == 0, "fetchmail reads by POP3 and sends by SMTP", run.stdout + run.stderr)
        ok(wait_for(lambda: len(maildir(gina)) == 3), "all are delivered")
        ok(all(m.endswith(b"\n\n.\n..x\nend\n\n") for m in maildir(gina)), "as they were, with the empty line that qmail-pop3d adds", maildir(gina))
        same(os.listdir(carol + "/Maildir/new") + os.listdir(carol + "/Maildir/cur"), [], "and gone from the mailbox")
else:
    skip(4, "no fetchmail that runs here")
done()
