#!/usr/bin/env python3
"""Answers SMT-LIB queries over finite fields with cvc5, many in one process.

    solve.py [--limit-s SECONDS] [--memory-mb MB] [--jobs N] [FILE]

FILE, or standard input, holds queries, each after a line "; query ID" with an ID of its own. A query is SMT-LIB 2.6
with one (check-sat), such as

    ; query uniqueness/bits[3]
    (set-logic QF_FF)
    (define-sort F () (_ FiniteField 21888242871839275222246405745257275088548364400416034343698204186575808495617))
    (declare-const x F)
    (assert (= (ff.mul x x) x))
    (check-sat)

For each query one line of JSON is written as soon as it is known, in no fixed order:

    {"id": "uniqueness/bits[3]", "answer": "sat", "seconds": 0.004, "model": {"x": "1"}}

"answer" is sat, unsat, timeout (the limit was reached), or, with "detail", unknown (also where the solver's process broke
off, such as for want of memory) or error (the query is not one that is run here). A model gives each declared
constant as the decimal number from 0 below the prime; it is not checked here, and whoever asks should.

Each query runs in a process of its own, which is killed when its time is over, whatever the solver is doing. Only
declarations, definitions, assertions, check-sat and options of the finite-field solver are run.

Exit code: 0 if every query has a line, 2 if the command line or the form of the file is wrong.
"""

import argparse
import json
import os
import resource
import selectors
import signal
import sys
import time

import cvc5

MARK = "; query "
MAX_INPUT_BYTES = 1 << 30
# A model of a million constants of 80 digits; more is no answer that anybody reads.
MAX_ANSWER_BYTES = 128 << 20
ALLOWED = {
    "set-logic",
    "set-info",
    "declare-const",
    "declare-fun",
    "define-const",
    "define-fun",
    "define-sort",
    "assert",
    "check-sat",
}
OPTIONS = ("(set-option :ff-", "(set-option :seed ")


def queries(text):
    """The queries of a text, as pairs of id and SMT-LIB; raises ValueError for another form."""
    found = {}
    parts = ("\n" + text).split("\n" + MARK)
    if parts[0].strip():
        raise ValueError(f"text before the first line that begins with {MARK!r}")
    for part in parts[1:]:
        name, _, body = part.partition("\n")
        name = name.strip()
        if not name or name in found:
            raise ValueError(f"a query without an id, or one that was there: {name!r}")
        found[name] = body
    return list(found.items())


def solve(body, limit_s):
    """Runs one query; returns what is written of it."""
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("produce-models", "true")
    solver.setOption("tlimit-per", str(max(1, int(limit_s * 1000))))
    symbols = cvc5.SymbolManager(manager)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, body, "query")
    answer = None
    while True:
        command = parser.nextCommand()
        if command.isNull():
            break
        name = command.getCommandName()
        if name not in ALLOWED and not str(command).startswith(OPTIONS):
            return {"answer": "error", "detail": f"command not run here: {name}"}
        if name == "check-sat" and answer is not None:
            return {"answer": "error", "detail": "more than one check-sat"}
        said = str(command.invoke(solver, symbols)).strip()
        if name == "check-sat":
            answer = said
        elif said not in ("", "success"):
            return {"answer": "error", "detail": said[:500]}
    if answer == "sat":
        terms = symbols.getDeclaredTerms()
        model = {str(t): value(solver.getValue(t)) for t in terms}
        return {"answer": "sat", "model": model}
    if answer == "unsat":
        return {"answer": answer}
    if answer is not None and answer.startswith("unknown"):
        # cvc5 adds its reason: unknown (TIMEOUT).
        late = "TIMEOUT" in answer
        return {"answer": "timeout"} if late else {"answer": "unknown", "detail": answer[:500]}
    detail = "no check-sat" if answer is None else str(answer)[:500]
    return {"answer": "error", "detail": detail}


def value(term):
    """A field element as a number from 0 below its prime; anything else as cvc5 writes it."""
    if not term.isFiniteFieldValue():
        return str(term)
    # cvc5 gives the residue of least magnitude.
    number = int(term.getFiniteFieldValue())
    return str(number % int(term.getSort().getFiniteFieldSize()))


def child(body, limit_s, memory_mb, out):
    """Runs in the forked process: never returns."""
    try:
        # Should the parent die, no solver outlives its time.
        seconds = int(limit_s) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        if memory_mb:
            limit = memory_mb << 20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        result = solve(body, limit_s)
    except MemoryError:
        result = {"answer": "unknown", "detail": "out of memory"}
    except Exception as error:  # whatever cvc5 raises is an answer about this query only
        result = {"answer": "error", "detail": str(error)[:500]}
    with os.fdopen(out, "w", encoding="utf-8") as pipe:
        json.dump(result, pipe)
    os._exit(0)


class Running:
    """A query in its own process."""

    def __init__(self, name, body, args):
        self.name = name
        self.begun = time.monotonic()
        self.deadline = self.begun + args.limit_s
        self.said = b""
        self.too_long = False
        self.pipe, out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            child(body, args.limit_s, args.memory_mb, out)
        os.close(out)

    def finish(self, late):
        """The line for this query, once its pipe is closed or its time is over."""
        if late:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        seconds = round(time.monotonic() - self.begun, 3)
        if self.too_long:
            detail = f"an answer of more than {MAX_ANSWER_BYTES} bytes"
            return {"id": self.name, "answer": "error", "seconds": seconds, "detail": detail}
        try:
            result = json.loads(self.said)
        except ValueError:
            ended = os.waitstatus_to_exitcode(status)
            killed_for_time = late or ended == -signal.SIGXCPU
            broke_off = {"answer": "unknown", "detail": f"the solver's process ended with {ended}"}
            result = {"answer": "timeout"} if killed_for_time else broke_off
        return {"id": self.name, "answer": result.pop("answer"), "seconds": seconds, **result}


def run(todo, args):
    """Runs the queries, some at a time, and writes a line for each."""
    waiting = iter(todo)
    running = set()
    with selectors.DefaultSelector() as selector:

        def start():
            for name, body in waiting:
                query = Running(name, body, args)
                running.add(query)
                selector.register(query.pipe, selectors.EVENT_READ, query)
                return

        def end(query, late=False):
            selector.unregister(query.pipe)
            running.discard(query)
            print(json.dumps(query.finish(late)), flush=True)
            start()

        for _ in range(args.jobs):
            start()
        while running:
            # A little longer than the solver's own limit, so that it may say itself that it gave up.
            grace = 0.25
            first = min(q.deadline for q in running) + grace
            for key, _ in selector.select(max(0.0, first - time.monotonic())):
                query = key.data
                part = os.read(query.pipe, 1 << 16)
                query.said += part
                if not part:
                    end(query)
                elif len(query.said) > MAX_ANSWER_BYTES:
                    query.too_long = True
                    end(query, late=True)
            now = time.monotonic()
            for query in [q for q in running if now >= q.deadline + grace]:
                end(query, late=True)


def main():
    parser = argparse.ArgumentParser(description="Answers SMT-LIB queries over finite fields.")
    parser.add_argument("file", nargs="?", help="queries; standard input without it")
    parser.add_argument("--limit-s", type=float, default=10.0, help="seconds for each query")
    parser.add_argument("--memory-mb", type=int, default=4096, help="memory for each query; 0: no limit")
    parser.add_argument("--jobs", type=int, default=1, help="queries at a time")
    args = parser.parse_args()
    if not 0 < args.limit_s <= 86400 or args.memory_mb < 0 or not 1 <= args.jobs <= 256:
        parser.error("limits out of range")
    try:
        if args.file:
            with open(args.file, "rb") as file:
                data = file.read(MAX_INPUT_BYTES + 1)
        else:
            data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        if len(data) > MAX_INPUT_BYTES:
            raise ValueError(f"more than {MAX_INPUT_BYTES} bytes")
        todo = queries(data.decode("utf-8"))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    run(todo, args)


if __name__ == "__main__":
    main()
