// Who is signed in, and what happens when that ends while something is being written.

import { signal as state } from "@preact/signals";
import { StaffRole, type GetDeskResponse } from "@viridian/wire/console";

import { Fault } from "../../../pages/web/fault.ts";
import { make, use } from "./passkey.ts";
import { faultOf, service } from "./service.ts";

export type Phase = "opening" | "out" | "open" | { failed: Fault };

export const phase = state<Phase>("opening");
export const desk = state<GetDeskResponse | null>(null);
/** The session is over, and what stands on the page waits under a question for the passkey. */
export const isOver = state(false);
/** The code of an invitation, as it stood behind `#invite=`; it never leaves the page's memory but to enrol. */
export const invitation = state(takeInvitation());

/** Milliseconds by which the console's clock is ahead of this device's. */
let aheadMs = 0;
/** When the session ends without another call, by this device's clock. */
let endsAtMs = Infinity;
let idleMs = 0;
/** The passkey that signed in on this page; empty where the session was there before the page. */
let passkey = "";
let calledAtMs = 0;
let touchedAtMs = 0;
let typedAtMs = 0;
/** Whether the page is about to go, with the person's will. */
let isLeaving = false;
let waiting: (() => void)[] = [];

/** How long a page without a touch counts as one that somebody works at. */
const ATTENDED_MS = 120_000;
/** How old the last call becomes before somebody who writes keeps the session by another. */
const KEEP_AFTER_MS = 240_000;
const LOOK_EVERY_MS = 5_000;
/** How long after a key somebody counts as one who types. */
const TYPING_MS = 3_000;
/** Who may ask for proposals. */
const MAY_LIST = [StaffRole.CLERK, StaffRole.APPROVER, StaffRole.APPEALS_OFFICER, StaffRole.AUDITOR];

/** Takes the code out of the address, where it would stay in the history. */
function takeInvitation(): string {
  const code = /^#invite=(.{1,64})$/.exec(location.hash)?.[1];
  if (code === undefined) return "";
  history.replaceState(null, "", location.pathname);
  return code;
}

addEventListener("hashchange", () => {
  const code = takeInvitation();
  if (code !== "") invitation.value = code;
});

/** Seconds since the Unix epoch, by the console's clock. */
export function nowS(): number {
  return (Date.now() + aheadMs) / 1000;
}

export function nowMinute(): number {
  return Math.floor(nowS() / 60);
}

export function has(role: StaffRole): boolean {
  return desk.value?.roles.includes(role) ?? false;
}

/** Whether somebody works at this page now. What keeps a session is asked for by itself only then. */
export function isAttended(): boolean {
  return document.visibilityState === "visible" && Date.now() - touchedAtMs < ATTENDED_MS;
}

/** Whether somebody is typing: what they look at is not to change under their hands. */
export function isTyping(): boolean {
  const at = document.activeElement;
  const isField = at instanceof HTMLTextAreaElement || (at instanceof HTMLInputElement && at.type !== "checkbox" && at.type !== "radio");
  return isField || Date.now() - typedAtMs < TYPING_MS;
}

/**
 * Makes a call; where the session is over, once more after the same person has signed in again. Rejects with a `Fault`.
 * What the page asks by itself, and says so, makes no session last.
 */
export async function call<T>(work: (to: typeof service) => Promise<T>, isByItself = false): Promise<T> {
  for (;;) {
    if (isOver.value) await new Promise<void>((done) => waiting.push(done));
    try {
      const answer = await work(service);
      if (isByItself) return answer;
      calledAtMs = Date.now();
      endsAtMs = calledAtMs + idleMs;
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code !== "NOT_SIGNED_IN" || desk.value === null) throw fault;
      isOver.value = true;
    }
  }
}

/** Asks who is signed in; that alone keeps no session. */
async function learnDesk(): Promise<GetDeskResponse> {
  const asked = Date.now();
  const found = await service.getDesk({});
  aheadMs = Number(found.nowS) * 1000 - (asked + Date.now()) / 2;
  idleMs = Number(found.endsAtS - found.nowS) * 1000;
  endsAtMs = asked + idleMs;
  return found;
}

/** Looks whether somebody is signed in. Never rejects. */
export async function open(): Promise<void> {
  phase.value = "opening";
  try {
    desk.value = await learnDesk();
    phase.value = "open";
  } catch (error) {
    const fault = faultOf(error);
    phase.value = fault.code === "NOT_SIGNED_IN" ? "out" : { failed: fault };
  }
}

/** Binds a new passkey to whom the code invited; they are signed in. Rejects with a `Fault`. */
export async function enrol(code: string): Promise<void> {
  try {
    const { optionsJson } = await service.beginEnrol({ code });
    const made = await make(optionsJson);
    await service.enrol({ code, credentialJson: made.json });
    await enter(made.id);
    invitation.value = "";
  } catch (error) {
    throw faultOf(error);
  }
}

/** Signs in by a passkey. Rejects with a `Fault`. */
export async function signIn(): Promise<void> {
  try {
    const { optionsJson } = await service.beginSignIn({});
    const signed = await use(optionsJson);
    await service.signIn({ credentialJson: signed.json });
    await enter(signed.id);
  } catch (error) {
    throw faultOf(error);
  }
}

/** All windows of a browser have one session: who signs in or out in one of them does so in all. */
const windows = new BroadcastChannel("session");
windows.onmessage = () => {
  if (desk.value !== null) void lookWhetherOver();
};

/** Another window of the same person may have kept it; in one of somebody else, nothing of this person's is left here. */
async function lookWhetherOver(): Promise<void> {
  try {
    const found = await learnDesk();
    if (desk.value !== null && desk.value.name !== found.name) return begin();
    desk.value = found;
  } catch (error) {
    if (faultOf(error).code === "NOT_SIGNED_IN") isOver.value = true;
  }
}

async function enter(by: string): Promise<void> {
  const before = desk.value;
  const found = await learnDesk();
  windows.postMessage(null);
  // What one person wrote is not for another to see, nor to send.
  if (before && !isSame(before, found, by)) return begin();
  passkey = by;
  desk.value = found;
  phase.value = "open";
  isOver.value = false;
  const waited = waiting;
  waiting = [];
  for (const go of waited) go();
}

function isSame(before: GetDeskResponse, now: GetDeskResponse, by: string): boolean {
  return before.name === now.name && (passkey === "" || passkey === by);
}

/** Signs out, and forgets what this page knows. */
export async function signOut(): Promise<void> {
  try {
    await service.signOut({});
  } catch (error) {
    // Without the console the cookie stays until the session ends, and whoever wants to leave is told. One that is over is left.
    if (!isOver.value) throw faultOf(error);
  }
  windows.postMessage(null);
  begin();
}

/** The page begins anew: nothing of what was in its memory is left. */
function begin(): void {
  isLeaving = true;
  history.replaceState(null, "", location.pathname);
  location.reload();
}

/** Has the browser ask before what is being written is lost with the page. */
export function keepWhile(isWriting: () => boolean): void {
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && isWriting()) event.preventDefault();
  });
}

/** Looks from time to time whether the session is over, and keeps it for somebody who writes. */
export function watchSession(): () => void {
  const touched = (event?: Event) => {
    touchedAtMs = Date.now();
    if (event?.type === "keydown") typedAtMs = touchedAtMs;
  };
  const look = () => {
    if (desk.value === null || isOver.value) return;
    const now = Date.now();
    if (now >= endsAtMs) void lookWhetherOver();
    else if (isAttended() && now - calledAtMs > KEEP_AFTER_MS) {
      calledAtMs = now;
      // Any call keeps the session; this one writes no act.
      if (MAY_LIST.some(has)) void call((to) => to.listProposals({ onlyWaiting: true })).catch(() => {});
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const events = ["pointerdown", "keydown"] as const;
  for (const name of events) addEventListener(name, touched, { capture: true, passive: true });
  document.addEventListener("visibilitychange", look);
  touched();
  return () => {
    clearInterval(timer);
    for (const name of events) removeEventListener(name, touched, { capture: true });
    document.removeEventListener("visibilitychange", look);
  };
}
