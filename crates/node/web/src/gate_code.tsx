// Gates that show a code: it is read by the camera or pasted, and the own code answers it until that is put away.

import { signal as state } from "@preact/signals";
import { useRef } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { CodeReader } from "./code_reader.tsx";
import { GATE_WORDS } from "./gate_words.ts";
import { challenger } from "./wasm/wallet.js";

/** What a gate gave to this phone. */
export interface Challenge {
  text: string;
  /** What the gate is called. */
  gate: string;
}

/** Longest text that is looked at; a challenge has 52 characters. */
const TEXT_LEN_MAX = 80;

/** What the code that is shown answers. It is kept nowhere. */
export const challenge = state<Challenge | null>(null);
const isReading = state(false);
const isBad = state(false);

export function putAway(): void {
  challenge.value = null;
  isReading.value = isBad.value = false;
}

function begin(): void {
  isReading.value = true;
  isBad.value = false;
}

function read(text: string): void {
  try {
    challenge.value = { text, gate: challenger(text.slice(0, TEXT_LEN_MAX)) };
    isReading.value = isBad.value = false;
    scrollTo(0, 0);
  } catch {
    isBad.value = true;
  }
}

export function GateCode() {
  if (isReading.value) return <Reader />;
  const answered = challenge.value;
  if (!answered) return <button onClick={begin}>{t(GATE_WORDS.shows)}</button>;
  return (
    <div class="done">
      <p role="status" data-testid="answers">
        {t(GATE_WORDS.answers)} {answered.gate}
      </p>
      <p>{t(GATE_WORDS.once)}</p>
      <p class="row">
        <button onClick={begin}>{t(GATE_WORDS.another)}</button>
        <button onClick={putAway}>{t(GATE_WORDS.putAway)}</button>
      </p>
    </div>
  );
}

function Reader() {
  const place = useRef<HTMLElement>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    read(String(new FormData(form).get("challenge") ?? "").trim());
  };
  return (
    <section ref={place} class="notice" aria-label={t(GATE_WORDS.shows)}>
      <p>{t(GATE_WORDS.text)}</p>
      <CodeReader onText={read} onReady={() => place.current?.scrollIntoView()} />
      <form onSubmit={submit} autocomplete="off">
        <label>
          {t(GATE_WORDS.typed)}
          <input name="challenge" autocomplete="off" autocapitalize="characters" spellcheck={false} maxLength={TEXT_LEN_MAX} aria-invalid={isBad.value} />
        </label>
        {isBad.value && (
          <p class="warn" role="alert">
            {t(GATE_WORDS.bad)}
          </p>
        )}
        <p class="row">
          <button type="submit">{t(GATE_WORDS.use)}</button>
          <button type="button" onClick={() => (isReading.value = false)}>
            {t(GATE_WORDS.cancel)}
          </button>
        </p>
      </form>
    </section>
  );
}
