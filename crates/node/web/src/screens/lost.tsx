// A phone that was lost: every pass is revoked, every other phone unbound.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Fault } from "../fault.ts";
import { Faulty } from "../parts.tsx";
import { attempt, fillStock, stockChanged, t } from "../state.ts";
import { WORDS } from "../words.ts";

const asking = state(false);
const sending = state(false);
const revoked = state<number | null>(null);
const fault = state<Fault | null>(null);

async function send(): Promise<void> {
  if (sending.value) return;
  sending.value = true;
  fault.value = await attempt(async (open) => {
    revoked.value = await open.revokeAll();
  });
  sending.value = asking.value = false;
  stockChanged.value += 1;
  if (!fault.value) void fillStock();
}

export function Lost() {
  useEffect(() => {
    asking.value = false;
    revoked.value = fault.value = null;
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.lost)}</h2>
      <p>{t(WORDS.lostText)}</p>
      <Faulty fault={fault.value} />
      {revoked.value !== null && (
        <p class="done" role="status">
          {t(WORDS.lostDone)} {revoked.value}
        </p>
      )}
      {asking.value ? (
        <div class="row">
          <button class="main" disabled={sending.value} onClick={() => void send()}>
            {t(sending.value ? WORDS.sending : WORDS.sure)}
          </button>
          <button onClick={() => (asking.value = false)}>{t(WORDS.not)}</button>
        </div>
      ) : (
        <button class="main" onClick={() => (asking.value = true)}>
          {t(WORDS.lostSend)}
        </button>
      )}
    </section>
  );
}
