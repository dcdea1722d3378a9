"""load_sinks - the remote servers of load.t, each with its own character, in a process of their own.

    sinks = Sinks(seed, path)       path: where they note what they have taken
    sinks.routes()                  for control/smtproutes
    sinks.say("rough")              or "calm": nobody hangs up; or "well": nothing ever fails
    sinks.taken()                   (recipient, content, answered) of each message

ok takes everything; slow dribbles; drop hangs up at any point, also when it has taken a message and
has not said so; busy answers 4xx at any point; no refuses recipients that begin with no-; dead is
not there at times; rst accepts connections and resets them."""
import asyncio, multiprocessing, pickle, random, signal, socket, struct

from load_mail import BUSY, DEAD, DROP, HOSTS, NO, RESET, SLOW

POINTS = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "text", "end", "answer")


class HangUp(Exception):
    pass


class Server:
    """One of them."""

    def __init__(self, host, seed, note, port, address):
        self.host, self.note, self.port, self.address = host, note, port, address
        self.rng = random.Random("%s %s" % (seed, host))
        self.mood = "calm"
        self.server = None

    async def listen(self):
        if not self.server:
            self.server = await asyncio.start_server(self.serve, self.address, self.port, limit=1 << 20, reuse_address=True, backlog=200)

    async def be_dead_at_times(self):
        while True:
            await asyncio.sleep(self.rng.uniform(0.5, 3))
            if self.mood == "rough" and self.server:
                self.server.close()
                self.server = None
                await asyncio.sleep(self.rng.uniform(0.5, 4))
            await self.listen()

    def misfortune(self):
        """At which point a connection will end, or be answered 4xx."""
        if self.host == DROP and self.mood == "rough" or self.host == BUSY and self.mood != "well":
            return self.rng.choice(POINTS) if self.rng.random() < 0.5 else None
        return None

    async def serve(self, reader, writer):
        try:
            if self.host == RESET and self.mood == "rough" and self.rng.random() < 0.5:
                await asyncio.sleep(self.rng.choice([0, 0, 0.05]))
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            await Session(self, reader, writer).run()
        except (HangUp, OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


class Session:
    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.ends_at = server.misfortune()

    async def reply(self, text, point=None):
        """Whether the answer was the good one."""
        good = True
        if point and point == self.ends_at:
            if self.server.host == DROP:
                raise HangUp
            text, good = "451 busy just now", False
        data = text.encode() + b"\r\n"
        if self.server.host == SLOW and self.server.mood != "well":
            for i in range(0, len(data), 4):
                self.writer.write(data[i:i + 4])
                await self.writer.drain()
                await asyncio.sleep(self.server.rng.uniform(0, 0.06))
        else:
            self.writer.write(data)
        await self.writer.drain()
        return good

    async def text(self):
        """The message after DATA, with LF, and without dots on top."""
        if self.ends_at == "text" and self.server.host == DROP:
            await self.reader.read(1000)
            raise HangUp
        lines = []
        while True:
            line = await self.reader.readuntil(b"\n")
            if line == b".\r\n":
                return b"".join(lines)
            line = line[1:] if line.startswith(b".") else line
            lines.append(line[:-2] + b"\n" if line.endswith(b"\r\n") else line)

    async def run(self):
        if not await self.reply("220 %s ESMTP" % self.server.host, "greeting"):
            return
        recipients = []
        while True:
            line = (await self.reader.readuntil(b"\n")).strip()
            word = line[:4].upper()
            if word == b"EHLO":
                await self.reply("250-%s\r\n250-PIPELINING\r\n250 8BITMIME" % self.server.host, "EHLO")
            elif word == b"MAIL":
                recipients = []
                await self.reply("250 ok", "MAIL")
            elif word == b"RCPT":
                recipient = line.split(b"<", 1)[1].rstrip(b">").decode("latin1")
                if self.server.host == NO and recipient.startswith("no-"):
                    await self.reply("550 no such user")
                elif await self.reply("250 ok", "RCPT"):
                    recipients.append(recipient)
            elif word == b"DATA" and not recipients:
                await self.reply("503 no recipients")
            elif word == b"DATA":
                if await self.reply("354 go ahead", "DATA"):
                    await self.data(recipients)
            elif word == b"QUIT":
                await self.reply("221 bye")
                return
            else:
                await self.reply("250 ok")

    async def data(self, recipients):
        content = await self.text()
        if self.ends_at == "end":  # it is not taken
            await self.reply("", "end")
            return
        answered = not (self.ends_at == "answer" and self.server.host == DROP)
        for recipient in recipients:
            self.server.note(recipient, content, answered)
        if not answered:
            raise HangUp
        await self.reply("250 taken")


def serve_all(seed, path, ports, pipe):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(path, "ab", buffering=0) as out:
        servers = [Server(host, seed, lambda *what: out.write(pickle.dumps(what)), port, address) for host, (port, address) in ports.items()]

        async def main():
            for server in servers:
                await server.listen()
            dead = next(s for s in servers if s.host == DEAD)
            moods = asyncio.create_task(dead.be_dead_at_times())
            pipe.send("up")
            while True:
                mood = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
                if mood == "end":
                    moods.cancel()
                    return
                for server in servers:
                    server.mood = mood
                await dead.listen()
                pipe.send(mood)
        asyncio.run(main())


class Sinks:
    def __init__(self, seed, path):
        self.path = path
        self.ports = {}
        for host in HOSTS:
            with socket.create_server(("127.0.0.1", 0)) as s:
                self.ports[host] = (s.getsockname()[1], "127.0.0.1")
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=serve_all, args=(seed, path, self.ports, theirs), daemon=True)
        self.process.start()
        self.pipe.recv()

    def routes(self):
        return "".join("%s:%s:%d\n" % (host, address, port) for host, (port, address) in self.ports.items())

    def say(self, mood):
        self.pipe.send(mood)
        self.pipe.recv()

    def end(self):
        self.pipe.send("end")
        self.process.join(10)
        self.process.kill()

    def taken(self):
        result = []
        with open(self.path, "rb") as f:
            while True:
                try:
                    result.append(pickle.load(f))
                except EOFError:
                    return result
