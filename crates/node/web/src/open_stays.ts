// Stays of which no departure was declared.

import type { Receipt } from "./store.ts";
import type { Trip } from "./wallet.ts";

/** What a trip's receipt is over. */
export function stayOf({ said }: Receipt): Trip {
  const end = said.end === "" ? null : Number(said.end);
  return { area: Number(said.area), site: Number(said.site), begin: Number(said.begin), end };
}

/** The stays of these receipts that were declared without a departure, and not with one since. */
export function openStays(receipts: Receipt[]): Trip[] {
  const stays = receipts.filter(({ kind }) => kind === "trip").map(stayOf);
  const name = ({ area, site, begin }: Trip) => `${area}/${site}/${begin}`;
  const ended = new Set(stays.filter(({ end }) => end !== null).map(name));
  const open = stays.filter((stay) => stay.end === null && !ended.has(name(stay)));
  return [...new Map(open.map((stay) => [name(stay), stay])).values()];
}
