// Which screen is open, by what stands behind `#/`. Names of proposals and appeals are random numbers; nothing else stands there.

import { signal as state } from "@preact/signals";
import { StaffRole } from "@viridian/wire/console";

import { desk, has } from "./session.ts";

export const SCREENS = ["state", "naming", "waiting", "appeals", "proposals", "overview", "intake", "rules", "counts", "acts", "proposal", "appeal"] as const;
export type Screen = (typeof SCREENS)[number];

interface Place {
  screen: Screen | "";
  /** Name of the proposal or appeal, in hexadecimal digits. */
  name: string;
  /** Of an appeal: its office. */
  office: string;
}

export const place = state<Place>(placeOf(location.hash));

function placeOf(hash: string): Place {
  const [first = "", name = "", office = ""] = hash.replace(/^#\/?/, "").split("/");
  const screen = SCREENS.find((screen) => screen === first) ?? "";
  return { screen, name: /^[0-9a-f]{32,40}$/.test(name) ? name : "", office: decoded(office) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

addEventListener("hashchange", () => {
  place.value = placeOf(location.hash);
});

/** How often the screen that is open was asked for again: each time it begins anew. */
export const again = state(0);

export function linkTo(screen: Screen, ...names: string[]): string {
  return [`#/${screen}`, ...names.map(encodeURIComponent)].join("/");
}

export function go(screen: Screen, ...names: string[]): void {
  location.hash = linkTo(screen, ...names);
}

/** Offices that may name proxies. */
export function namers() {
  return (desk.value?.offices ?? []).filter((office) => office.namesProxies);
}

/** What stands in the menu, by what somebody may do. */
export function menu(): Screen[] {
  const { CLERK, APPROVER, APPEALS_OFFICER, OPERATOR, AUDITOR } = StaffRole;
  const anybody = desk.value?.tellsPublished ? [CLERK, APPROVER, APPEALS_OFFICER, OPERATOR, AUDITOR] : [];
  const shown: [Screen, StaffRole[]][] = [
    ["waiting", [APPROVER]],
    ["appeals", [APPEALS_OFFICER]],
    ["state", [CLERK]],
    ["naming", [CLERK]],
    ["proposals", [CLERK, APPROVER, APPEALS_OFFICER, AUDITOR]],
    ["overview", [OPERATOR, AUDITOR]],
    ["intake", [OPERATOR, AUDITOR]],
    ["rules", anybody],
    ["counts", anybody],
    ["acts", [AUDITOR]],
  ];
  const mine = shown.filter(([screen, roles]) => roles.some(has) && (screen !== "naming" || namers().length > 0));
  return mine.map(([screen]) => screen);
}

/** The item of the menu that a screen belongs to. */
export function partOf(screen: Screen | ""): Screen | "" {
  if (screen === "proposal") return has(StaffRole.APPROVER) ? "waiting" : "proposals";
  return screen === "appeal" ? "appeals" : screen;
}
