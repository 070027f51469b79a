// What all screens share: the wallet that is open, what it knows, and what went wrong last.

import { create } from "@bufbuild/protobuf";
import { signal as state } from "@preact/signals";
import { RefusalSchema, type GetHomeResponse, type QueryResponse, type Refusal } from "@viridian/wire/resident";

import { t } from "../../../pages/web/looks.tsx";
import { keepSetting, setting } from "../../../pages/web/settings.ts";
import type { Words } from "../../../pages/web/words.ts";
import type { Consent } from "./consent.ts";
import { Fault, faultOf } from "./fault.ts";
import { Refused } from "./made.ts";
import { OWN } from "./store.ts";
import type { Wallet } from "./wallet.ts";
import { FAULTS, WORDS } from "./words.ts";
import { keptWish, keepWish, type Wish } from "./wish.ts";

export type Phase = "opening" | "open" | "elsewhere" | { failed: Fault };

export const phase = state<Phase>("opening");
export const wallet = state<Wallet | null>(null);
export const registered = state(false);
/** Whom this wallet acts for, as the owner of the phone calls them; none in the own wallet. */
export const actsFor = state<string | null>(null);
/** Where the consent stands by which it does. */
export const consent = state<Consent>("none");
export const home = state<GetHomeResponse | null>(null);
export const status = state<QueryResponse | null>(null);
/** `null` until it is known. */
export const online = state<boolean | null>(null);
export const clockWrongMin = state(0);
export const wish = state<Wish>(keptWish());
/** Why there are no passes for the wish, if the home said so. */
export const refusal = state<Refusal | null>(null);
/** What went wrong when passes were fetched. */
export const stockFault = state<Fault | null>(null);
export const fetching = state(false);
/** Grows whenever passes came or went. */
export const stockChanged = state(0);

/** How a consent can be over. */
export const CONSENT_OVER: Partial<Record<Consent, Words>> = { past: WORDS.mandatePast, ended: WORDS.mandateEnded };

/** What went wrong, and what to do. */
export function faultText(fault: Fault): string {
  if (fault.code === "UNKNOWN_DEVICE" && actsFor.value !== null) return t(CONSENT_OVER[consent.value] ?? WORDS.mandateWaiting);
  const words = t(FAULTS[fault.code] ?? FAULTS.PAGE!);
  const minutes = Math.ceil((fault.retryAfterS ?? 0) / 60);
  return minutes > 1 ? `${words} ${minutes} ${t(WORDS.retryIn)}` : words;
}

/** The address of a page whose resident has just left. */
export const LEFT = "#/left";
export const hasLeft = location.hash === LEFT;

/** The screens, by what stands behind `#/`. */
export const SCREENS = ["", "status", "check-in", "trip", "show", "ask", "more", "receipts", "contest", "lost", "leave", "paper", "family", "mandate"] as const;
export type Screen = (typeof SCREENS)[number];

export const screen = state<Screen>(screenOf(location.hash));
/** What the screen is about: an event's name for `contest`. */
export const about = state(aboutOf(location.hash));

function screenOf(hash: string): Screen {
  const name = hash.replace(/^#\/?/, "").split("/")[0] ?? "";
  return SCREENS.find((screen) => screen === name) ?? "";
}

function aboutOf(hash: string): string {
  return hash.replace(/^#\/?/, "").split("/")[1] ?? "";
}

addEventListener("hashchange", () => {
  screen.value = screenOf(location.hash);
  about.value = aboutOf(location.hash);
});

export function go(to: Screen, what = ""): void {
  location.hash = what ? `#/${to}/${what}` : `#/${to}`;
}

/** The rule set of a wish by its identifier: the nation's stands first. */
export function rulesOf({ ruleSet }: Wish): string {
  return ruleSet || (home.value?.passTerms?.ruleSetIds[0] ?? "");
}

/** The storage that is open: the own one, or that of somebody for whom this phone acts. */
export function profile(): string {
  const kept = setting("profile") ?? "";
  return /^wallet-for-[0-9a-f]{16}$/.test(kept) ? kept : OWN;
}

/** Opens another wallet of this phone: the page begins anew, so that nothing of the one is left in the other. */
export function switchTo(name: string): void {
  keepSetting("profile", name);
  history.replaceState(null, "", name === OWN ? "#/family" : "#/mandate");
  location.reload();
}

export function choose(chosen: Wish): void {
  keepWish(chosen);
  wish.value = chosen;
  refusal.value = null;
  stockFault.value = null;
  stockChanged.value += 1;
}

/** What every answer, and every failure, says of the home and of this phone. */
export function noteOf(open: Wallet, fault: Fault | null): void {
  if (wallet.value !== open) return;
  // What went wrong on this phone says nothing of the network.
  if (fault === null || !["NOT_KEPT", "PAGE"].includes(fault.code)) online.value = fault?.code !== "NO_NETWORK";
  noteWallet(open);
}

/** What a wallet knows, as it is now. */
function noteWallet(open: Wallet): void {
  home.value = open.home;
  status.value = open.status;
  registered.value = open.identity !== null;
  actsFor.value = open.identity?.actsFor ?? null;
  consent.value = open.consent();
  clockWrongMin.value = open.clock.wrongByMin();
}

/** Does what talks to the home; the fault, if it failed. */
export function attempt(work: (open: Wallet) => Promise<void>): Promise<Fault | null> {
  return tried(work, noteOf);
}

/** Does what concerns this phone alone, and says nothing of the network; the fault, if it failed. */
export function onPhone(work: (open: Wallet) => Promise<void>): Promise<Fault | null> {
  return tried(work, (open) => {
    if (wallet.value === open) noteWallet(open);
  });
}

async function tried(
  work: (open: Wallet) => Promise<void>,
  note: (open: Wallet, fault: Fault | null) => void,
): Promise<Fault | null> {
  const open = wallet.value;
  if (!open) return new Fault("PAGE");
  try {
    await work(open);
    note(open, null);
    return null;
  } catch (error) {
    const fault = faultOf(error);
    if (fault.code === "PAGE") console.error(error);
    note(open, fault);
    return fault;
  }
}

/** Fetches passes for the wish where there are too few; never rejects. */
export async function fillStock(): Promise<void> {
  const open = wallet.value;
  if (!open?.identity || fetching.value) return;
  fetching.value = true;
  const wanted = wish.value;
  try {
    const answer = await open.ask();
    noteOf(open, null);
    const isWanted = () => wallet.value === open && wish.value === wanted;
    // Who acts for somebody hears first until when: without that, an end by the person could not be told from a beginning.
    if (open.identity && open.consent() === "none" && actsFor.value !== null) await open.query();
    // Who has left meanwhile wants no more.
    while (isWanted() && open.identity && (await open.stock.fill(open.identity, wanted, answer))) {
      stockChanged.value += 1;
    }
    stockFault.value = null;
    if (wish.value === wanted) refusal.value = null;
    noteOf(open, null);
  } catch (error) {
    if (error instanceof Refused) {
      if (wish.value === wanted) refusal.value = error.refusal ?? create(RefusalSchema);
      stockFault.value = null;
      noteOf(open, null);
    } else {
      stockFault.value = faultOf(error);
      if (stockFault.value.code === "PAGE") console.error(error);
      noteOf(open, stockFault.value);
    }
  } finally {
    fetching.value = false;
    stockChanged.value += 1;
  }
  if (wish.value !== wanted) await fillStock();
}
