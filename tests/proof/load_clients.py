"""load_clients - who sends the mail of load.t: SMTP over IPv4 and IPv6, QMTP, qmail-inject, sendmail,
swaks, all at once. Each records what it was answered, exactly.

    load = Load(ledger, seed, tree, ports)
    load.run(until, room)      until(): whether enough has been sent; room(): whether there is room for more
"""
import asyncio, random, re, shutil, tempfile
from collections import Counter

from load_mail import ME, Mail

SMTP_4, SMTP_6, QMTP, INJECT = 7, 2, 2, 2  # clients at a time
ANSWER_S = 300


class Gone(Exception):
    """The connection ended, or the answer was not one to go on with."""


class Load:
    def __init__(self, ledger, seed, tree, ports):
        self.ledger, self.seed, self.tree, self.ports = ledger, seed, tree, ports
        self.rng = random.Random("%s load" % seed)
        self.rough = False
        self.used = Counter()

    def new(self, by, trusted):
        mail = Mail(len(self.ledger.mails) + 1, self.seed, self.rng, trusted)
        mail.by = by
        self.ledger.add(mail)
        return mail

    def said(self, mail, outcome, answer):
        mail.outcome, mail.answer, mail.text = outcome, answer, None
        self.used[mail.by + " " + outcome] += 1

    def run(self, until, room):
        asyncio.run(self._run(until, room))

    async def _run(self, until, room):
        kinds = [self.client(self.smtp, "127.0.0.1", i % 3 != 0) for i in range(SMTP_4)]
        kinds += [self.client(self.smtp, "::1", True) for _ in range(SMTP_6)]
        kinds += [self.client(self.qmtp) for _ in range(QMTP)]
        kinds += [self.client(self.inject) for _ in range(INJECT)]
        if shutil.which("swaks"):
            kinds.append(self.client(self.swaks))
        self.until, self.room = until, room
        await asyncio.gather(*kinds)

    async def client(self, session, *arguments):
        """Session after session."""
        while not self.until():
            if not self.room():
                await asyncio.sleep(0.1)
                continue
            try:
                await session(*arguments)
            except (OSError, EOFError, Gone, asyncio.TimeoutError):
                await asyncio.sleep(0.05)

    # -- SMTP

    async def smtp(self, address, trusted):
        """One connection with some messages. Who is not trusted comes from an address that may
        not relay, and its recipients are checked."""
        source = None if trusted else ("127.0.0.8", 0)
        reader, writer = await asyncio.open_connection(address, self.ports["smtp6" if ":" in address else "smtp"], local_addr=source)
        try:
            await self.reply(reader)
            await self.ask(reader, writer, b"EHLO load.test\r\n")
            for _ in range(self.rng.choice([1, 1, 2, 5, 10])):
                if not self.room():
                    break
                await self.smtp_message(reader, writer, self.new("SMTP over IPv6" if ":" in address else "SMTP", trusted))
            writer.write(b"QUIT\r\n")
            await writer.drain()
        finally:
            writer.close()

    async def reply(self, reader):
        """Code and last line."""
        while True:
            line = await asyncio.wait_for(reader.readline(), ANSWER_S)
            if not re.match(rb"\d\d\d[ -].*\r\n\Z", line, re.S):
                raise Gone
            if line[3:4] == b" ":
                return int(line[:3]), line.decode("latin1").strip()

    async def ask(self, reader, writer, *commands):
        """Sends them, at once; the replies. Only those of RCPT may be bad."""
        writer.write(b"".join(commands))
        await writer.drain()
        replies = [await self.reply(reader) for _ in commands]
        for command, reply in zip(commands, replies):
            if reply[0] // 100 not in (2, 3) and not command.startswith(b"RCPT"):
                raise Gone
        return replies

    async def smtp_message(self, reader, writer, mail):
        stage = "refused"  # before the final dot nothing is promised, and nothing may come of it
        answer = ""
        try:
            commands = [b"MAIL FROM:<%s>\r\n" % mail.sender.encode()] + [b"RCPT TO:<%s>\r\n" % r.encode() for r in mail.recipients]
            if self.rng.random() < 0.5:
                replies = await self.ask(reader, writer, *commands)
            else:
                replies = [(await self.ask(reader, writer, c))[0] for c in commands]
            mail.recipients = [r for r, reply in zip(mail.recipients, replies[1:]) if reply[0] == 250]
            if not mail.recipients:
                await self.ask(reader, writer, b"RSET\r\n")
                return
            await self.ask(reader, writer, b"DATA\r\n")
            text = b"".join(b"." + l if l.startswith(b".") else l for l in mail.text.replace(b"\n", b"\r\n").splitlines(True))
            if self.rng.random() < 0.03:  # this client dies
                writer.write(text[:self.rng.randrange(len(text))])
                await writer.drain()
                raise Gone
            if self.rng.random() < 0.1 and len(text) > 2000:
                writer.write(text[:1000])
                await writer.drain()
                await asyncio.sleep(0.1)
                text = text[1000:]
            writer.write(text)
            await writer.drain()
            stage = "unclear"
            code, answer = 0, "no answer"
            writer.write(b".\r\n")
            await writer.drain()
            code, answer = await self.reply(reader)
            stage = "accepted" if code == 250 else "unclear" if code // 100 == 4 else "refused"
        finally:
            self.said(mail, stage, answer)

    # -- QMTP

    async def qmtp(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports["qmtp"])
        try:
            for _ in range(self.rng.choice([1, 3, 8])):
                if not self.room():
                    break
                await self.qmtp_message(reader, writer, self.new("QMTP", "by QMTP"))
        finally:
            writer.close()

    async def qmtp_message(self, reader, writer, mail):
        stage, answers = "refused", []
        netstring = lambda data: b"%d:%s," % (len(data), data)
        request = (netstring(b"\n" + mail.text) + netstring(mail.sender.encode()) +
                   netstring(b"".join(netstring(r.encode()) for r in mail.recipients)))
        try:
            if self.rng.random() < 0.03:  # this client dies
                writer.write(request[:self.rng.randrange(len(request))])
                await writer.drain()
                raise Gone
            stage = "unclear"
            writer.write(request)
            await writer.drain()
            for _ in mail.recipients:
                size = await asyncio.wait_for(reader.readuntil(b":"), ANSWER_S)
                answers.append((await asyncio.wait_for(reader.readexactly(int(size[:-1]) + 1), ANSWER_S)).decode("latin1"))
            letters = [a[:1] for a in answers]
            if "K" in letters:  # some recipients may have been refused, and are told so
                mail.recipients = [r for r, l in zip(mail.recipients, letters) if l == "K"]
                stage = "accepted"
            elif "Z" not in letters:
                stage = "refused"
        except asyncio.IncompleteReadError:
            raise Gone
        finally:
            self.said(mail, stage, " ".join(answers) or "no answer")

    # -- programs

    async def program(self, mail, arguments, text):
        with tempfile.TemporaryFile() as on_0:
            on_0.write(text)
            on_0.seek(0)
            process = await asyncio.create_subprocess_exec(
                *arguments, stdin=on_0, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                cwd="/", env={"PATH": "/usr/bin:/bin", "USER": "tester"}, user=60999, group=60999, extra_groups=[])
        await process.wait()
        self.said(mail, "accepted" if process.returncode == 0 else "unclear", "exit %d" % process.returncode)

    async def inject(self):
        """qmail-inject or sendmail; without a check of recipients."""
        mail = self.new(self.rng.choice(["qmail-inject", "sendmail"]), "unchecked")
        arguments = ["-a"] if mail.by == "qmail-inject" else []
        await self.program(mail, [self.tree.bin(mail.by)] + arguments + ["-f", mail.sender, "--"] + mail.recipients, mail.text)

    async def swaks(self):
        mail = self.new("swaks", True)
        arguments = ["swaks", "--server", "127.0.0.1", "--port", str(self.ports["smtp"]), "--helo", "load.test", "--from", mail.sender,
                     "--to", ",".join(mail.recipients), "--data", "-", "--no-data-fixup"]
        # as it stands it is sent: with CR LF, dots doubled
        text = b"".join(b"." + l if l.startswith(b".") else l for l in mail.text.replace(b"\n", b"\r\n").splitlines(True)) + b".\r\n"
        await self.program(mail, arguments, text)
        await asyncio.sleep(0.5)
