// What all sections share: what is known, the language, and which section is open.

import { signal as state } from "@preact/signals";
import type { GetOverviewResponse } from "@viridian/wire/public";

import { askOverview } from "./service.ts";

export const overview = state<GetOverviewResponse | null>(null);
/** Whether the last question to the program failed. */
export const silent = state(false);
export const looking = state(false);
/** Milliseconds by which the program's time is ahead of this device's, where it is not the world's. */
const aheadMs = state(0);

export const SECTIONS = ["list", "rules", "circuits", "provinces", "counts", "check"] as const;
export type Section = (typeof SECTIONS)[number];
export const section = state<Section>(sectionOf(location.hash));

function sectionOf(hash: string): Section {
  const name = hash.replace(/^#\/?/, "");
  return SECTIONS.find((section) => section === name) ?? "list";
}

addEventListener("hashchange", () => {
  section.value = sectionOf(location.hash);
});

/** Seconds since the Unix epoch, as ages are told. */
export function nowS(): number {
  return (Date.now() + aheadMs.value) / 1000;
}

/** Asks what is known, and has the nodes looked at before if that is wanted. Never rejects. */
export async function refresh(lookAgain: boolean): Promise<void> {
  if (looking.value) return;
  looking.value = true;
  try {
    const answer = await askOverview(lookAgain);
    aheadMs.value = answer.simulatedClock ? Number(answer.nowS) * 1000 - Date.now() : 0;
    overview.value = answer;
    silent.value = false;
  } catch {
    silent.value = true;
  } finally {
    looking.value = false;
  }
}
