// What a clerk is writing. It lives in the page's memory alone: neither storage nor address ever holds an identity number.

import { create } from "@bufbuild/protobuf";
import { signal as state } from "@preact/signals";
import { StatementKind, StatementSchema, type Statement } from "@viridian/wire/console";

import { fromHex } from "../../../pages/web/bytes.ts";
import { minuteOfField } from "../../../pages/web/dates.ts";
import { byteLength, identityNumber, plain } from "../../../pages/web/typed.ts";
import type { Words } from "../../../pages/web/words.ts";
import { desk, nowMinute } from "./session.ts";
import { WORDS } from "./words.ts";

/** Longest grounds and reasons of a refusal, in bytes. */
export const GROUNDS_BYTES_MOST = 500;

export interface Draft {
  source: string;
  /** A `StatementKind`; empty while none is chosen, as the other choices. */
  kind: string;
  number: string;
  home: string;
  at: string;
  result: string;
  contact: string;
  case: string;
  exposure: string;
  target: string;
  /** The target that was taken from a proposal of this console; another one was typed. */
  known: string;
  grounds: string;
}

export type Bad = Partial<Record<keyof Draft, Words>>;

const EMPTY: Draft = {
  source: "",
  kind: "",
  number: "",
  home: "",
  at: "",
  result: "",
  contact: "",
  case: "",
  exposure: "",
  target: "",
  known: "",
  grounds: "",
};

export const draft = state<Draft>(EMPTY);
export const bad = state<Bad>({});

export function write(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
  // What was wrong with a field is said until it is written again.
  const rest = { ...bad.value };
  for (const name of Object.keys(part) as (keyof Draft)[]) delete rest[name];
  bad.value = rest;
}

export function clear(): void {
  draft.value = EMPTY;
  bad.value = {};
}

/** Whether something was written that would be missed. */
export function isWritten(): boolean {
  return draft.value.number !== "" || draft.value.grounds !== "" || draft.value.target !== "";
}

/** The office, where there is but one, or the one that was chosen. */
export function officeOf({ source }: Draft): string {
  const offices = offered();
  return offices.length === 1 ? offices[0]!.source : source;
}

/** Offices that state anything by hand. */
export function offered() {
  return (desk.value?.offices ?? []).filter((office) => office.kinds.length > 0);
}

export function homeOf({ home }: Draft): number {
  return home === "" ? (desk.value?.province ?? 0) : Number(home);
}

/** What is wrong with it, by field. */
export function faults(of: Draft): Bad {
  const bad: Bad = {};
  const kind: StatementKind = Number(of.kind);
  if (officeOf(of) === "") bad.source = WORDS.chooseBad;
  if (of.kind === "") bad.kind = WORDS.chooseBad;
  if (identityNumber(of.number) === null) bad.number = WORDS.numberBad;
  const at = minuteOfField(of.at);
  if (of.kind !== "" && (at === null || at > nowMinute())) bad.at = WORDS.timeBad;
  if (kind === StatementKind.TEST && of.result === "") bad.result = WORDS.chooseBad;
  if (kind === StatementKind.CONTACT && of.contact === "") bad.contact = WORDS.chooseBad;
  if (kind === StatementKind.CASE && of.case === "") bad.case = WORDS.chooseBad;
  if (kind === StatementKind.EXPOSURE && of.exposure === "") bad.exposure = WORDS.chooseBad;
  if (kind === StatementKind.RELEASE && !isEventName(of.target)) bad.target = WORDS.targetBad;
  const bytes = byteLength(plain(of.grounds));
  if (bytes === 0 || bytes > GROUNDS_BYTES_MOST) bad.grounds = WORDS.groundsBad;
  return bad;
}

function isEventName(text: string): boolean {
  return /^[0-9a-f]{32}$/i.test(text.trim());
}

/** What of it is sent: the fields of its kind, and no others. */
export function statementOf(of: Draft): Statement {
  const kind: StatementKind = Number(of.kind);
  const isPlaced = [StatementKind.CONTACT, StatementKind.CASE, StatementKind.ENTRY, StatementKind.EXPOSURE].includes(kind);
  return create(StatementSchema, {
    source: officeOf(of),
    identityNumber: identityNumber(of.number) ?? "",
    homeProvince: homeOf(of),
    kind,
    atMinute: minuteOfField(of.at) ?? 0,
    // An office states what was in its own province; the node takes nothing else of it.
    whereProvince: isPlaced ? (desk.value?.province ?? 0) : 0,
    isPositive: kind === StatementKind.TEST && of.result === "positive",
    contact: kind === StatementKind.CONTACT ? Number(of.contact) : 0,
    case: kind === StatementKind.CASE ? Number(of.case) : 0,
    exposure: kind === StatementKind.EXPOSURE ? Number(of.exposure) : 0,
    isTargetByHand: kind === StatementKind.RELEASE && of.target.trim().toLowerCase() !== of.known,
    targetEvent: kind === StatementKind.RELEASE ? fromHex(of.target.trim().toLowerCase()) : new Uint8Array(),
  });
}
