"""A peer framework as a process: requests and answers are lines of JSON on stdin and stdout.

    python bench/peers/worker.py torch|keras

{"do": "setup", "workload", "batch", "setting", "threads"} -> {"loss": first step's loss, "versions": {...}}
{"do": "round", "steps"}                                   -> {"seconds": wall time of that many steps, "cpu": process seconds}
{"do": "close"}                                            -> ends
An error answers {"error": text}. Workloads keep their state between rounds; a second setup of the same one only switches to it.
"""

import importlib
import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever a framework prints must not end up among the answers


def main(peer_name):
    peer = None
    current = None
    known = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "close":
                return
            if request["do"] == "setup":
                if peer is None:
                    os.environ["TRIVIUM_BENCH_THREADS"] = str(request["threads"])
                    peer = importlib.import_module(f"{peer_name}_peer")
                key = (request["workload"], request["batch"], request["setting"])
                first = None
                if key not in known:
                    step = peer.workload(*key)
                    first = step()
                    for _ in range(request.get("warmup", 3)):
                        step()
                    known[key] = (step, first)
                current, first = known[key]
                answer = {"loss": first, "versions": peer.versions()}
            else:
                cpu, start = time.process_time(), time.perf_counter()
                for _ in range(request["steps"]):
                    current()
                answer = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
        except Exception as problem:  # the bench decides what a failing peer means
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        answers.write(json.dumps(answer) + "\n")


main(sys.argv[1])
