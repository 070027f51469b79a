// From a code that was read to a verdict that is shown.

import type { Words } from "../../../pages/web/words.ts";
import { currentNonce, draw } from "./challenge.tsx";
import { NotKept, type Desk, type Report } from "./desk.ts";
import { asksForList, renew } from "./renew.tsx";
import { asked, profile } from "./rule.ts";
import { signal } from "./signal.ts";
import { desk, fault, pending, report, sound } from "./state.ts";
import { mended, retold } from "./text.ts";
import { WORDS } from "./words.ts";

/** Why nothing can be decided, in words. */
class Undecided extends Error {
  constructor(readonly words: Words) {
    super(words.en);
  }
}

/** One thing at a time. */
let deciding = false;

async function alone(work: (open: Desk) => Promise<void>): Promise<void> {
  const open = desk.value;
  if (!open || deciding) return;
  deciding = true;
  try {
    await work(open);
  } catch (error) {
    console.error(error);
    fault.value = error instanceof Undecided ? error.words : error instanceof NotKept ? WORDS.notKept : WORDS.notDecided;
    signal("undecided", sound.value);
  } finally {
    deciding = false;
  }
}

/** Whether nobody stands at the gate: nothing is decided, shown or asked for. */
export function isIdle(): boolean {
  return !deciding && !report.value && !pending.value && !fault.value;
}

/** Counts a verdict, and shows it. */
async function tell(open: Desk, found: Report): Promise<void> {
  await open.count(found.outcome);
  // Whoever took the gate over meanwhile remembers other codes.
  if (desk.value !== open) return;
  report.value = found;
  if (asksForList(found.code)) void renew(open);
  signal(found.outcome, sound.value);
}

/** Reads a code, unless one is being shown. */
export function decide(text: string, card: string): Promise<void> {
  return alone(async (open) => {
    if (report.value || pending.value || fault.value) return;
    const asks = asked.value;
    if (profile.value === null || !asks) throw new Undecided(WORDS.profileGone);
    try {
      const found = retold(await open.decide(mended(text), asks, asks.showsChallenge ? currentNonce() : null, card), text);
      if (desk.value !== open) return;
      if (found.outcome === "accept" && asks.temperatureLimit > 0) pending.value = { report: found, limit: asks.temperatureLimit };
      else await tell(open, found);
    } finally {
      // Whatever came of it: the next person is shown another challenge.
      if (asks.showsChallenge) draw();
    }
  });
}

/** Judges the temperature that goes with the pass that was accepted. False where the text is none, and is asked for again. */
export async function measured(text: string): Promise<boolean> {
  const waits = pending.value;
  let isRead = true;
  if (!waits) return isRead;
  await alone(async (open) => {
    const said = open.tooWarm(text, waits.limit);
    isRead = said !== undefined;
    if (said === undefined) return;
    pending.value = null;
    await tell(open, { ...waits.report, ...said });
  });
  return isRead;
}

/** Nobody is let pass without the temperature that is asked for. */
export async function notMeasured(): Promise<void> {
  await alone(async (open) => {
    if (!pending.value) return;
    pending.value = null;
    await open.count("undecided");
    throw new Undecided(WORDS.temperatureNone);
  });
}
