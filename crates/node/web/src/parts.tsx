// Pieces that several screens are made of.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import type { Fault } from "./fault.ts";
import { faultText } from "./state.ts";
import { WORDS } from "./words.ts";

/** What went wrong, and what to do. */
export function Faulty({ fault }: { fault: Fault | null }) {
  if (!fault) return null;
  return (
    <p class="warn" role="alert">
      {faultText(fault)} <span class="detail">{fault.code}</span>
    </p>
  );
}

export function Notice(props: { words: Words; action: Words; act: () => void }) {
  return (
    <section class="notice" role="alert">
      <p>{t(props.words)}</p>
      <button onClick={props.act}>{t(props.action)}</button>
    </section>
  );
}

/** A question stands so long before it can be agreed to: who taps twice has not read it. */
const READ_AFTER_MS = 700;

/** Asks a second time before something is done; `deed` is what is done, where "yes" alone would not say it. */
export function Sure(props: { words: Words; deed?: Words; busy: boolean; act: () => void; not: () => void }) {
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setThere(true), READ_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="alert" class="notice">
      <p>{t(props.words)}</p>
      <button class="main" disabled={!isThere || props.busy} onClick={props.act}>
        {t(WORDS.sure)}
        {props.deed && (language.value === "zh" ? t(props.deed) : `: ${t(props.deed)}`)}
      </button>
      <button onClick={props.not}>{t(WORDS.not)}</button>
    </div>
  );
}

/** A field with its name, and what is wrong with what stands in it. */
export function Field(props: { label: Words; bad?: Words | null; children: ComponentChildren }) {
  return (
    <div class="field">
      <label>
        {t(props.label)}
        {props.children}
      </label>
      {props.bad && (
        <p class="warn" role="alert">
          {t(props.bad)}
        </p>
      )}
    </div>
  );
}
