// The challenge that is shown to each person: fresh after every verdict, and after a minute. It is kept nowhere.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { Modules } from "../../../pages/web/code.tsx";
import { t } from "../../../pages/web/looks.tsx";
import { desk } from "./state.ts";
import { WORDS } from "./words.ts";

const NONCE_LEN = 16;
const EVERY_MS = 60_000;

interface Drawn {
  nonce: Uint8Array;
  /** By a clock that nobody sets, ms. */
  at: number;
}

const drawn = state<Drawn | null>(null);

/** Draws another. */
export function draw(): void {
  drawn.value = { nonce: crypto.getRandomValues(new Uint8Array(NONCE_LEN)), at: performance.now() };
}

/** The nonce that an answer has to be over. */
export function currentNonce(): Uint8Array {
  // A page in the background draws late.
  if (!drawn.value || performance.now() - drawn.value.at > EVERY_MS) draw();
  return drawn.value!.nonce;
}

export function Challenge() {
  const shown = drawn.value;
  const gate = desk.value;
  useEffect(() => {
    draw();
    return () => {
      drawn.value = null;
    };
  }, []);
  useEffect(() => {
    const timer = setTimeout(draw, EVERY_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  if (!shown || !gate) return null;
  const { text, drawing } = gate.challenge(shown.nonce);
  return (
    <section class="challenge" aria-label={t(WORDS.challenge)}>
      <p>{t(WORDS.challengeText)}</p>
      <Modules code={drawing} label={t(WORDS.challenge)} name="challenge" />
      <code data-testid="challenge-text">{text}</code>
    </section>
  );
}
