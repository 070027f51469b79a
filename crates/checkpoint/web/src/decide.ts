// From a code that was read to a verdict that is shown.

import type { Words } from "../../../pages/web/words.ts";
import { currentNonce, draw } from "./challenge.tsx";
import { NotKept, type Desk, type Report } from "./desk.ts";
import { asksForList, renew } from "./renew.tsx";
import { asked, profile } from "./rule.ts";
import { signal } from "./signal.ts";
import { cardless, desk, fault, isBusy, pending, report, sound, type Cardless } from "./state.ts";
import { mended, retold } from "./text.ts";
import type { Asked } from "./weaker.ts";
import { WORDS } from "./words.ts";

/** So long a code that was read waits for the number of a card. */
const CARD_WAITS_S = 120;

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
  return !deciding && !isBusy.value;
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
    if (isBusy.value) return;
    const asks = whatIsAsked();
    try {
      const nonce = asks.showsChallenge ? currentNonce() : null;
      await judge(open, { text: mended(text), nonce, at: open.now() }, card, asks);
    } finally {
      // Whatever came of it: the next person is shown another challenge.
      if (asks.showsChallenge) draw();
    }
  });
}

/** Judges the code that waits for a card, with its number; without one, the verdict is what it was. */
export function withCard(card: string | null): Promise<void> {
  return alone(async (open) => {
    const waits = cardless.value;
    if (!waits) return;
    cardless.value = null;
    // Who waited longer may have given the phone to somebody else.
    if (card === null || open.now() - waits.at > CARD_WAITS_S) return tell(open, waits.report);
    await judge(open, waits, card, whatIsAsked());
  });
}

function whatIsAsked(): Asked {
  const asks = asked.value;
  if (profile.value === null || !asks) throw new Undecided(WORDS.profileGone);
  return asks;
}

async function judge(open: Desk, read: Omit<Cardless, "report">, card: string, asks: Asked): Promise<void> {
  const found = retold(await open.decide(read.text, asks, read.nonce, card, read.at), read.text);
  if (desk.value !== open) return;
  if (found.code === "CARD_NOT_PRESENTED") cardless.value = { ...read, report: found };
  else if (found.outcome === "accept" && asks.temperatureLimit > 0) pending.value = { report: found, limit: asks.temperatureLimit };
  else await tell(open, found);
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
