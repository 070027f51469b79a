// What a page knows of what a federation publishes, and the pieces that all of it is shown in.

import type { GetCountsResponse, GetOverviewResponse, GetRuleTextResponse, Problem } from "@viridian/wire/public";

import { hex } from "./bytes.ts";
import type { AskImpacts } from "./impact.tsx";
import { t } from "./looks.tsx";
import { provinceName } from "./provinces.ts";
import { FAULT_OTHER, FAULTS, PUBLISHED } from "./published_words.ts";
import type { Words } from "./words.ts";

/** What is known, and how more is asked for. */
export interface Published {
  known: GetOverviewResponse;
  /** Now, seconds since the Unix epoch. */
  nowS: number;
  ask: {
    ruleText: (digest: Uint8Array) => Promise<GetRuleTextResponse>;
    counts: (slot: number) => Promise<GetCountsResponse>;
    impacts: AskImpacts;
  };
}

export function Digest({ bytes }: { bytes: Uint8Array }) {
  return <code>{hex(bytes)}</code>;
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

/** Whose rules they are: a province's, or the nation's. */
export function scopeName(code: number): string {
  if (code === 0) return t(PUBLISHED.nation);
  const name = provinceName(code);
  return name ? t(name) : String(code);
}

/** A slot as people call it. */
export function slotName(known: GetOverviewResponse | null, number: number): string {
  const slot = known?.slots.find((one) => one.slot === number);
  return slot && slot.provinceCode !== 0 ? `${scopeName(slot.provinceCode)} (${number})` : String(number);
}

/** The same as the beginning of a sentence. */
export function slotWords(known: GetOverviewResponse | null, number: number): Words {
  const name = slotName(known, number);
  return { zh: `席位 ${name}`, en: `Slot ${name}` };
}
