// The names of places at hand: the lists of the page's own origin, each fetched once it is wanted and kept by the service worker.

import { signal as state } from "@preact/signals";

import { Areas } from "./areas.ts";

/** Addresses of the lists by their names, from the page's build. */
declare const AREA_LISTS: Record<string, string>;

/** Another value whenever a list has come, around the same names. */
const known = state({ areas: new Areas() });
const coming = new Map<string, Promise<boolean>>();

/** The names at hand; what is drawn from them is drawn again once there are more. */
export const areas = (): Areas => known.value.areas;

/** Has the list of all counties (`all`) or that of a province at hand; whether it is. There is none of a province without names. */
export function atHand(list: string): Promise<boolean> {
  const address = AREA_LISTS[list];
  if (!address) return Promise.resolve(true);
  let work = coming.get(list);
  if (!work) {
    work = fetched(list, address);
    coming.set(list, work);
  }
  return work;
}

async function fetched(list: string, address: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL(address, document.baseURI));
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    const text = await answer.text();
    const { areas } = known.peek();
    areas.add(list, text);
    known.value = { areas };
    return true;
  } catch (error) {
    console.warn(error);
    coming.delete(list);
    return false;
  }
}

/** Has the names of areas that were declared at hand, where they can be had. */
export async function namesOf(declared: number[]): Promise<void> {
  await Promise.all([...new Set(declared.map((area) => String(area).padStart(9, "0").slice(0, 2)))].map(atHand));
}

/** A declared area in words and as its code; the code alone while its name is not at hand. */
export function placeText(area: number, site = 0): string {
  const code = String(area).padStart(9, "0") + (site === 0 ? "" : `/${site}`);
  const name = areas().called(area);
  return name === null ? code : `${name} (${code})`;
}
