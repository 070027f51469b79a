// Receipts for what this phone has said, and where contestations stand.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { language, t } from "../../../../pages/web/looks.tsx";
import { namesOf } from "../area_names.ts";
import { dayText, minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { hex } from "../keys.ts";
import { stayOf } from "../open_stays.ts";
import { Faulty } from "../parts.tsx";
import { attempt, wallet } from "../state.ts";
import { stayText } from "../stay.ts";
import type { Receipt } from "../store.ts";
import { WORDS } from "../words.ts";
import { download } from "./more.tsx";

const receipts = state<Receipt[]>([]);
const fault = state<Fault | null>(null);

async function load(): Promise<void> {
  receipts.value = (await wallet.value?.receipts()) ?? [];
  await namesOf(receipts.value.filter(({ kind }) => kind === "trip").map((receipt) => stayOf(receipt).area));
}

export function Receipts() {
  useEffect(() => {
    fault.value = null;
    void load();
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.receipts)}</h2>
      <p>{t(WORDS.receiptsText)}</p>
      <Faulty fault={fault.value} />
      {receipts.value.length === 0 && <p>{t(WORDS.receiptsNone)}</p>}
      {receipts.value.map((receipt) => (
        <article key={receipt.id} class="reason" data-testid="receipt">
          <h3>{t(TITLES[receipt.kind])}</h3>
          <p>
            {minuteText(language.value, receipt.at)} · {said(receipt)}
          </p>
          {receipt.kind === "contest" && <Case receipt={receipt} />}
        </article>
      ))}
      {receipts.value.length > 0 && <button onClick={save}>{t(WORDS.exportAll)}</button>}
    </section>
  );
}

const TITLES = { "check-in": WORDS.checkIn, trip: WORDS.trip, contest: WORDS.contestTitle } as const;

function said(receipt: Receipt): string {
  const { kind, said } = receipt;
  if (kind === "check-in") {
    return `${dayText(language.value, Number(said.day))} · ${t(said.symptoms ? WORDS.checkInSome : WORDS.checkInNone)}`;
  }
  if (kind === "trip") return stayText(stayOf(receipt));
  return String(said.statement);
}

const STATES: Record<string, keyof typeof WORDS> = {
  OPEN: "contestOpen",
  UPHELD: "contestUpheld",
  DISMISSED: "contestDismissed",
};

function Case({ receipt }: { receipt: Receipt }) {
  const words = STATES[String(receipt.said.state)];
  const due = receipt.at + Number(receipt.said.hours) * 60;
  return (
    <>
      <p>
        {t(WORDS.contestState)}: {words && t(WORDS[words])} · {t(WORDS.contestBy)} {minuteText(language.value, due)}
      </p>
      <button onClick={() => void askAgain(receipt)}>{t(WORDS.contestAsk)}</button>
    </>
  );
}

async function askAgain(receipt: Receipt): Promise<void> {
  fault.value = await attempt(async (open) => void (await open.askAgain(receipt)));
  await load();
}

function save(): void {
  const all = receipts.value.map((receipt) => ({ ...receipt, event: hex(receipt.event), receipt: hex(receipt.receipt) }));
  download("receipts.json", JSON.stringify(all, null, 2));
}
