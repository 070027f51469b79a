// Pieces that several sections are made of.

import type { ComponentChildren } from "preact";
import type { Problem } from "@viridian/wire/public";

import { hex } from "../../../pages/web/bytes.ts";
import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { provinceName } from "../../../pages/web/provinces.ts";
import { ageText, secondText } from "./dates.ts";
import { nowS, overview } from "./state.ts";
import { FAULT_OTHER, FAULTS, WORDS } from "./words.ts";

/** A line of a list of terms. */
export function Line({ name, children }: { name: Words; children: ComponentChildren }) {
  return (
    <div class="line">
      <dt>{t(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Digest({ bytes }: { bytes: Uint8Array }) {
  return <code>{hex(bytes)}</code>;
}

/** A time and how long ago it was. */
export function When({ second }: { second: number }) {
  return (
    <>
      {secondText(language.value, second)} ({t(WORDS.age)} {ageText(language.value, nowS() - second)})
    </>
  );
}

/** What could not be verified, and why. */
export function NotVerified({ problem, what }: { problem: Problem | undefined; what: Words }) {
  if (!problem) return null;
  return (
    <div class="warn" data-testid="problem">
      <p>
        <strong>{t(what)}:</strong> {t(FAULTS[problem.fault] ?? FAULT_OTHER)}
      </p>
      {problem.detail && (
        <p class="detail" lang="en">
          {problem.detail}
        </p>
      )}
    </div>
  );
}

export function province(code: number): string {
  if (code === 0) return t(WORDS.nation);
  const name = provinceName(code);
  return name ? t(name) : String(code);
}

/** A slot as people call it. */
export function slotName(number: number): string {
  const slot = overview.value?.slots.find((one) => one.slot === number);
  return slot && slot.provinceCode !== 0 ? `${province(slot.provinceCode)} (${number})` : String(number);
}

/** The same as the beginning of a sentence. */
export function slotWords(number: number): Words {
  const name = slotName(number);
  return { zh: `席位 ${name}`, en: `Slot ${name}` };
}
