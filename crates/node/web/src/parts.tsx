// Pieces that several screens are made of.

import type { ComponentChildren } from "preact";

import { Colour } from "@viridian/wire/pass";

import type { Fault } from "./fault.ts";
import { faultText, t } from "./state.ts";
import { WORDS, type Words } from "./words.ts";

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

const COLOURS = {
  [Colour.GREEN]: { words: WORDS.green, name: "green" },
  [Colour.YELLOW]: { words: WORDS.yellow, name: "yellow" },
  [Colour.RED]: { words: WORDS.red, name: "red" },
} as const;

/** A colour as shape, word and colour: whoever cannot tell colours reads the other two. No tick, which a guard would take for a pass. */
export function ColourMark({ colour, big = false }: { colour: Colour; big?: boolean }) {
  const known = COLOURS[colour as keyof typeof COLOURS];
  if (!known) return null;
  return (
    <span class={`colour ${known.name}${big ? " big" : ""}`} data-testid={big ? "colour" : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {known.name === "green" && <circle cx="12" cy="12" r="9" />}
        {known.name === "yellow" && <path d="M12 3 22 21H2z" />}
        {known.name === "red" && <path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z" />}
      </svg>
      {t(known.words)}
    </span>
  );
}
