// What cannot be taken back, and is asked for twice: revoking all passes after a phone was lost, and leaving.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import type { Words } from "../../../../pages/web/words.ts";
import type { Fault } from "../fault.ts";
import { Faulty, Sure } from "../parts.tsx";
import { attempt, fillStock, LEFT, stockChanged } from "../state.ts";
import type { Wallet } from "../wallet.ts";
import { WORDS } from "../words.ts";

const asking = state(false);
const sending = state(false);
const revoked = state<number | null>(null);
const fault = state<Fault | null>(null);

/** A deed with its words; `act` is done once it was asked for twice. */
function Grave(props: { title: Words; text: Words; send: Words; sure: Words; act: (open: Wallet) => Promise<void>; then: () => void }) {
  useLayoutEffect(() => {
    asking.value = false;
    revoked.value = fault.value = null;
  }, []);
  const send = async () => {
    if (sending.value) return;
    sending.value = true;
    fault.value = await attempt(props.act);
    sending.value = asking.value = false;
    if (!fault.value) props.then();
  };
  return (
    <section class="deeds">
      <h2>{t(props.title)}</h2>
      <p>{t(props.text)}</p>
      <Faulty fault={fault.value} />
      {revoked.value !== null && (
        <p class="done" role="status">
          {t(WORDS.lostDone)} {revoked.value}
        </p>
      )}
      {sending.value && <p role="status">{t(WORDS.sending)}</p>}
      {asking.value ? (
        <Sure words={props.sure} deed={props.send} busy={sending.value} act={() => void send()} not={() => (asking.value = false)} />
      ) : (
        <button class="main" onClick={() => (asking.value = true)}>
          {t(props.send)}
        </button>
      )}
    </section>
  );
}

export function Lost() {
  const act = async (open: Wallet) => {
    revoked.value = await open.revokeAll();
  };
  const then = () => {
    stockChanged.value += 1;
    void fillStock();
  };
  return <Grave title={WORDS.lost} text={WORDS.lostText} send={WORDS.lostSend} sure={WORDS.lostSure} act={act} then={then} />;
}

export function Leave() {
  const act = (open: Wallet) => open.leave();
  // The page begins anew, so that nothing of what was in its memory is there for who comes next.
  const then = () => {
    history.replaceState(null, "", LEFT);
    location.reload();
  };
  return <Grave title={WORDS.leave} text={WORDS.leaveText} send={WORDS.leaveSend} sure={WORDS.leaveSure} act={act} then={then} />;
}
