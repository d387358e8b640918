"""A peer framework as a process: requests and answers are lines of JSON on stdin and stdout.

    python bench/peers/worker.py torch|keras|ort|jax

before any request       -> {"versions": {...}} or {"missing": why the peer cannot be had at all}
{"do": "setup", "suite", "workload", "batch", "setting"}
                         -> {"check": losses of three steps without dropout, or what was computed}
                         or {"unavailable": why this machine cannot run it}
{"do": "round", "steps"} -> {"seconds": wall time of that many steps, "cpu": process seconds}
{"do": "forget"}         -> {}: drops the workloads that were set up
{"do": "statistics"}     -> {"rss": bytes resident now, "growth": at most during the first steps of the last new setup}
{"do": "close"}          -> ends
An error answers {"error": text}. Workloads keep their state between rounds; a second setup of the same one only switches to it.
"""

import importlib
import json
import math
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever a framework prints must not end up among the answers

DROPS = {"cifar-cnn"}
# Numbers of a result that are compared: evenly spread where there are more.
COMPARED = 16384


def check_of(step):
    first = step()
    if isinstance(first, float):
        return [first, step(), step()]
    import numpy as np

    flat = np.asarray(first).ravel()
    return flat[:: max(1, -(-flat.size // COMPARED))].tolist()


def resident(field):
    """Bytes resident now (VmRSS) or at most since the last reset (VmHWM)."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


class Server:
    def __init__(self, peer):
        self.peer = peer
        self.current = None
        self.known = {}
        self.growth = 0

    def setup(self, request):
        key = (request.get("suite", "train"), request["workload"], request["batch"], request["setting"])
        if key not in self.known:
            from shared import Unavailable

            try:
                step = self.peer.workload(*key, dropout=False)
                reset_peak()
                before = resident("VmRSS")
                check = check_of(step)
                if not all(map(math.isfinite, check)):
                    raise ArithmeticError(f"what it computes is not finite: {check[:3]}")
                self.growth = resident("VmHWM") - before
                if key[1] in DROPS:
                    step = self.peer.workload(*key, dropout=True)
                for _ in range(request.get("warmup", 3)):
                    step()
            except Unavailable as reason:
                return {"unavailable": str(reason)}
            self.known[key] = (step, check)
        self.current, check = self.known[key]
        return {"check": check}

    def answer(self, request):
        if request["do"] == "setup":
            return self.setup(request)
        if request["do"] == "forget":
            self.known, self.current = {}, None
            return {}
        if request["do"] == "statistics":
            return {"rss": resident("VmRSS"), "growth": self.growth}
        step = self.current
        cpu, start = time.process_time(), time.perf_counter()
        for _ in range(request["steps"]):
            step()
        return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


def say(reply):
    answers.write(json.dumps(reply) + "\n")


def main(peer_name):
    try:
        peer = importlib.import_module(f"{peer_name}_peer")
    except ImportError as problem:
        say({"missing": str(problem)})
        return
    say({"versions": peer.versions()})
    server = Server(peer)
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "close":
            return
        try:
            reply = server.answer(request)
        except Exception as problem:  # the bench decides what a failing peer means
            reply = {"error": f"{type(problem).__name__}: {problem}"}
        say(reply)


main(sys.argv[1])
