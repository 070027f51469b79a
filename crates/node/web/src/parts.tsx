// Pieces that several screens are made of.

import type { ComponentChildren } from "preact";

import { t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import type { Fault } from "./fault.ts";
import { faultText } from "./state.ts";

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
