// Rights: who read the record, what others sent, receipts, export, a lost phone.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ForeignEventState, type ForeignEvent } from "@viridian/wire/resident";

import { language, t } from "../../../../pages/web/looks.tsx";
import { provinceName } from "../../../../pages/web/provinces.ts";
import { ContestOf, kindText, PURPOSE_APPEAL } from "../appeals.tsx";
import { minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { hex } from "../keys.ts";
import { Faulty } from "../parts.tsx";
import { actsFor, attempt, go, home, onPhone, status } from "../state.ts";
import { who } from "../who.ts";
import { WORDS } from "../words.ts";

const fault = state<Fault | null>(null);
/** Whether the home does not know this phone any more. */
const isUnbound = state(false);

export function More() {
  useEffect(() => {
    void attempt(async (open) => void (await open.query())).then((failed) => {
      fault.value = failed;
      isUnbound.value = failed?.code === "UNKNOWN_DEVICE";
    });
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.others)}</h2>
      <Faulty fault={fault.value} />
      {isUnbound.value && actsFor.value === null && (
        <button class="main" onClick={() => void again()}>
          {t(WORDS.again)}
        </button>
      )}
      {actsFor.value === null && (
        <>
          <button onClick={() => go("family")}>{t(WORDS.family)}</button>
          <h3>{t(WORDS.readings)}</h3>
          <Readings />
        </>
      )}
      <h3>{t(WORDS.foreign)}</h3>
      {(status.value?.foreignEvents ?? []).length === 0 && <p>{t(WORDS.foreignNone)}</p>}
      {(status.value?.foreignEvents ?? []).map((event) => (
        <Foreign key={hex(event.eventId)} event={event} />
      ))}
      <button onClick={() => go("paper")}>{t(WORDS.paper)}</button>
      <button onClick={() => go("receipts")}>{t(WORDS.receipts)}</button>
      <button onClick={() => void save()}>{t(WORDS.exportAll)}</button>
      <p class="hint">{t(WORDS.exportText)}</p>
      {actsFor.value === null && (
        <>
          <button onClick={() => go("lost")}>{t(WORDS.lost)}</button>
          <button onClick={() => go("leave")}>{t(WORDS.leave)}</button>
        </>
      )}
      <h3>{t(WORDS.about)}</h3>
      <dl>
        <dt>{t(WORDS.home)}</dt>
        <dd>
          {provinceText(home.value?.province ?? 0)} · {home.value?.federation}
        </dd>
        <dt>{t(WORDS.retention)}</dt>
        <dd>{home.value?.retentionDays}</dd>
      </dl>
    </section>
  );
}

async function again(): Promise<void> {
  fault.value = await onPhone((open) => open.forget());
  // Nothing of what was in the page's memory is there for who registers next.
  if (!fault.value) location.replace(location.pathname);
}

function Readings() {
  const readings = status.value?.readings ?? [];
  if (readings.length === 0) return <p>{t(WORDS.readingsNone)}</p>;
  return (
    <ul>
      {readings.map((reading, i) => (
        <li key={i}>
          {minuteText(language.value, reading.atMinute)} · {t(who(reading.reader))} ·{" "}
          {purposeText(reading.purpose)}
        </li>
      ))}
    </ul>
  );
}

function purposeText(purpose: string): string {
  const words = { sample: WORDS.purposeSample, proxy: WORDS.purposeProxy, naming: WORDS.purposeNaming, appeal: PURPOSE_APPEAL }[purpose];
  return words ? t(words) : purpose;
}

function Foreign({ event }: { event: ForeignEvent }) {
  const words = {
    [ForeignEventState.ACCEPTED]: WORDS.foreignAccepted,
    [ForeignEventState.WAITING]: WORDS.foreignWaiting,
    [ForeignEventState.LAPSED]: WORDS.foreignLapsed,
    [ForeignEventState.UNSPECIFIED]: null,
  }[event.state];
  return (
    <article class="reason" data-testid="foreign">
      <p>
        {provinceText(event.senderProvince)} · {t(who(event.source))} · {kindText(event.kind)} · {minuteText(language.value, event.issuedMinute)}
      </p>
      <p>
        {words && t(words)} {event.state === ForeignEventState.WAITING && minuteText(language.value, event.confirmByMinute)}
      </p>
      <ContestOf event={event.eventId} />
    </article>
  );
}

function provinceText(code: number): string {
  const name = provinceName(code);
  return name ? t(name) : String(code);
}

/** Hands a file to the browser. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function save(): Promise<void> {
  fault.value = await onPhone(async (open) => download("wallet.json", await open.everything()));
}
