"""The steps of INSTALL, as the text has them.

    for step in steps(): step.number, step.title, step.blocks

A step begins with its number. Lines indented by eight are a block: its parts are
commands, each with the lines behind a bar that it promises to print. The paragraph
above says what becomes of the block by its last words: "on your own:" (not executed),
"instead:" (in place of the block before), or anything else (executed).
"""
import os, re

HERE = os.path.dirname(os.path.abspath(__file__))
INSTALL = os.path.join(HERE, "../../INSTALL")


class Part:
    def __init__(self):
        self.commands = []
        self.promised = []


class Block:
    def __init__(self, kind):
        self.kind = kind  # "run", "instead" or "own"
        self.parts = [Part()]

    def add(self, line):
        bar = re.match(r"\| ?(.*)", line)
        if bar:
            self.parts[-1].promised.append(bar.group(1))
            return
        if self.parts[-1].promised:
            self.parts.append(Part())
        self.parts[-1].commands.append(line)

    def commands(self):
        return [line for part in self.parts for line in part.commands]


class Step:
    def __init__(self, number, title):
        self.number = number
        self.title = title
        self.blocks = []

    def of_kind(self, kind):
        return [b for b in self.blocks if b.kind == kind]


def kind_of(above):
    for kind, words in (("own", "on your own:"), ("instead", "instead:")):
        if above.lower().endswith(words):
            return kind
    return "run"


def steps(path=INSTALL):
    """The steps, and the lines that look like commands and belong to none."""
    found, lost, above, block = [], [], "", None
    with open(path) as f:
        for line in f.read().splitlines():
            head = re.match(r" ?(\d+)\. (.*)", line)
            if head:
                found.append(Step(int(head.group(1)), head.group(2)))
                above, block = head.group(2), None
            elif line.startswith(" " * 8) and not found:
                lost.append(line)
            elif line.startswith(" " * 8):
                if block is None:
                    block = Block(kind_of(above))
                    found[-1].blocks.append(block)
                block.add(line[8:])
            else:
                above, block = line.strip() or above if block is None else line.strip(), None
    return found, lost

