"""cases - the work that is given to each system. `messages` is for SCALE=1."""


def _smtp():
    for size, kb in (4000, "4k"), (100000, "100k"):
        for sessions in 1, 20, 100:
            for stay in False, True:
                yield "smtp-%d-%s-%s" % (sessions, "many" if stay else "one", kb), {
                    "kind": "smtp", "sessions": sessions, "stay": stay, "size": size,
                    "messages": (300 if sessions == 1 else 1500) // (1 if size == 4000 else 3),
                    "title": "SMTP in, to a maildir: %d session%s, %s, %d kB" % (
                        sessions, "s" * (sessions > 1), "many messages a connection" if stay else "one message a connection", size // 1000)}


CASES = {
    "inject-1": {"kind": "inject", "at_a_time": 1, "messages": 300, "title": "sendmail, one at a time, to a maildir"},
    "inject-8": {"kind": "inject", "at_a_time": 8, "messages": 800, "title": "sendmail, 8 at a time, to a maildir"},
    **dict(_smtp()),
    "relay-20": {"kind": "relay", "sessions": 20, "messages": 1500, "title": "SMTP in, SMTP out: 20 sessions, 4 kB"},
    "relay-100": {"kind": "relay", "sessions": 100, "messages": 1500, "title": "SMTP in, SMTP out: 100 sessions, 4 kB"},
    "list-one": {"kind": "list", "recipients": 10000, "domains": 1, "title": "one message to 10,000 recipients in one other domain"},
    "list-many": {"kind": "list", "recipients": 10000, "domains": 1000, "title": "one message to 10,000 recipients in 1,000 other domains"},
    "list-local": {"kind": "list", "recipients": 10000, "domains": 0, "title": "one message to 10,000 recipients here"},
    "flight": {"kind": "flight", "recipients": 10000, "domains": 1, "systems": ("reqmail",),
               "title": "one message to 10,000 recipients, all deliveries at once (conf-spawn 10,000)"},
    "waiting": {"kind": "waiting", "waiting": 100000, "sessions": 20, "messages": 1000,
                "title": "SMTP in, to a maildir, while 100,000 deferred messages wait"},
    "footprint": {"kind": "footprint", "connections": 100, "title": "memory, start-up, size"},
    "price-local": {"kind": "price", "sessions": 20, "messages": 500, "relay": False, "title": "what one message costs: SMTP in, to a maildir"},
    "price-relay": {"kind": "price", "sessions": 20, "messages": 500, "relay": True, "title": "what one message costs: SMTP in, SMTP out"},
}
for _case in CASES.values():
    _case.setdefault("size", 4000)
    _case.setdefault("stay", False)
PASSES = ("plain", "watch", "strace")  # price: what is measured together would disturb each other
LIMIT_WRITERS = (1, 20, 100)


def smaller(case, scale):
    """The case with everything that is counted times `scale`."""
    least = {"messages": 10, "recipients": 20, "waiting": 20, "connections": 5}
    case = dict(case)
    for key, low in least.items():
        if key in case:
            case[key] = max(low, int(case[key] * scale))
    if case.get("domains"):
        case["domains"] = max(1, min(case["domains"], case["recipients"] // 10))
    return case
