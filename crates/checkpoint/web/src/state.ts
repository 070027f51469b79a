// What the pieces of the page share: the gate that is open, and what is shown of it.

import { computed, signal as state } from "@preact/signals";

import { setting } from "../../../pages/web/settings.ts";
import type { Words } from "../../../pages/web/words.ts";
import type { Desk, ListInUse, Report } from "./desk.ts";
import type { Setting } from "./store.ts";

export type Phase = "opening" | "open" | "elsewhere" | { failed: string; words: Words; retry: () => void };

export type Renewal = "running" | "newer" | "same" | "refused" | "unreachable";

export interface Cardless {
  report: Report;
  text: string;
  nonce: Uint8Array | null;
  /** When it was read, seconds since the Unix epoch. */
  at: number;
}

export const phase = state<Phase>("opening");
export const desk = state<Desk | null>(null);
export const list = state<ListInUse | null>(null);
export const online = state(false);
/** Why the checkpoint's list was not taken. */
export const refused = state<string | null>(null);
/** What came of the last renewal of the list. */
export const renewal = state<Renewal | null>(null);
export const clockAheadS = state<number | null>(null);
/** The verdict that is shown. */
export const report = state<Report | null>(null);
/** Why there is none. */
export const fault = state<Words | null>(null);
/** A pass that was accepted, while the temperature is asked for that goes with it. */
export const pending = state<{ report: Report; limit: number } | null>(null);
/** A code that was read and needs a card, while its number is asked for: judged with it as of the moment at which it was read. */
export const cardless = state<Cardless | null>(null);
/** Whether somebody stands at the gate: something is shown or asked for. */
export const isBusy = computed(() => (report.value ?? fault.value ?? pending.value ?? cardless.value) !== null);
/** A setting of the checkpoint's that asks for less than the one in use, and in what; it waits for the supervisor. */
export const offered = state<{ setting: Setting; weaker: Words[] } | null>(null);
/** The field that a scanner types into: the cursor stands there whenever nothing lies over it. */
export const reader: { current: HTMLInputElement | null } = { current: null };
export const sound = state(setting("sound") !== "no");
