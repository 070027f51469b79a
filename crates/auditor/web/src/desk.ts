// A code in this page: taken apart, and judged by the gate's own desk. Nothing of it is sent, and nothing is kept.

import type { GetOverviewResponse } from "@viridian/wire/public";

import type { Words } from "../../../pages/web/words.ts";
import { hex } from "../../../pages/web/bytes.ts";
import { askBatch, askList } from "./service.ts";
import init, { Gate, take_apart } from "./wasm/public.js";
import wasmUrl from "./wasm/public_bg.wasm?url";

export interface Field {
  offset: number;
  length: number;
  hex: string;
  scope: "shared" | "pass" | "showing";
  title: Words;
  value: Words;
  meaning: Words;
  reveals: Words;
  to: Words;
}

export interface Parts {
  chars: number;
  length: number;
  specimen: boolean;
  signature: "fits" | "does-not-fit" | "none";
  shared_bytes: number;
  pass_bytes: number;
  showing_bytes: number;
  fields: Field[];
  not_in_it: Words;
}

/** The fields of `gate::Report` that are shown. */
export interface Report {
  outcome: "accept" | "reject" | "undecided";
  word_zh: string;
  word_en: string;
  code: string;
  text_zh: string;
  text_en: string;
}

const NOTHING = new Uint8Array();
/** Minute 4 bytes, digest 32. */
const BATCH_ENTRY_LEN = 36;
/** The gate that this page plays. */
const GATE_ID = new TextEncoder().encode("PUBLIC--");

/** The list that the program verified, with its batches; fetched when it is needed first, and when it is another. */
let list: { sequences: string; bundle: Uint8Array; batches: Map<string, Uint8Array> } | null = null;

async function newestList(known: GetOverviewResponse, gate: Gate, nowS: number): Promise<void> {
  const sequences = `${known.list?.rootSequence}.${known.list?.onlineSequence}`;
  if (list?.sequences !== sequences) list = { sequences, bundle: await askList(), batches: new Map() };
  gate.consider(list.bundle, nowS);
  const missing = gate.missing();
  for (let at = 0; at < missing.length; at += BATCH_ENTRY_LEN) {
    const digest = missing.slice(at + 4, at + BATCH_ENTRY_LEN);
    const name = hex(digest);
    const batch = list.batches.get(name) ?? (await askBatch(digest));
    gate.supply(batch);
    list.batches.set(name, batch);
  }
  gate.take();
}

/** A gate of a province with the newest list; it forgets with the page. */
async function gateIn(known: GetOverviewResponse, place: number, specimens: boolean, nowS: number): Promise<Gate> {
  await init({ module_or_path: wasmUrl });
  const rootKeys = new Uint8Array(32 * known.rootKeys.length);
  known.rootKeys.forEach((key, i) => rootKeys.set(key, 32 * i));
  const gate = new Gate(place, GATE_ID, rootKeys, known.rootThreshold, specimens, 1, NOTHING);
  try {
    await newestList(known, gate, nowS);
    return gate;
  } catch (error) {
    gate.free();
    list = null;
    throw error;
  }
}

/** The profiles of the newest list. */
export async function profiles(known: GetOverviewResponse, place: number, nowS: number): Promise<string[]> {
  const gate = await gateIn(known, place, false, nowS);
  const told = JSON.parse(gate.list(nowS)) as { profiles: string[] } | null;
  gate.free();
  return told?.profiles ?? [];
}

export async function judge(
  text: string,
  known: GetOverviewResponse,
  wish: { place: number; profile: string; specimens: boolean },
  nowS: number,
): Promise<Report> {
  const gate = await gateIn(known, wish.place, wish.specimens, nowS);
  try {
    return JSON.parse(gate.decide(text, wish.profile, nowS, NOTHING, NOTHING)) as Report;
  } finally {
    gate.free();
  }
}

/** Throws what is wrong with a text that is no code. */
export async function takeApart(text: string, known: GetOverviewResponse | null): Promise<Parts> {
  await init({ module_or_path: wasmUrl });
  const names = (known?.ruleSets ?? []).map((set) => `${hex(set.shortId)} ${set.ruleSetId}`);
  return JSON.parse(take_apart(text, names.join("\n"))) as Parts;
}
