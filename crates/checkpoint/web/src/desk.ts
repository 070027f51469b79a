// The gate in this page: the verifier, what is kept from one visit to the next, and the trust list's renewal.

import { drawingOf, type Drawing } from "../../../pages/web/code.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { Guard } from "./lock.ts";
import { askBatch, askList, askSetting, type Asked, type InHand } from "./service.ts";
import { Store, type Counts, type Rule, type Setting } from "./store.ts";
import { weakerIn } from "./weaker.ts";
import init, { Gate, picture, temperature_limit, too_warm } from "./wasm/gate.js";
import wasmUrl from "./wasm/gate_bg.wasm?url";

export type Outcome = keyof Counts;

/** A verdict with its words; the fields of the checkpoint's own `--json`. */
export interface Report {
  outcome: Outcome;
  word_zh: string;
  word_en: string;
  code: string;
  detail: string | null;
  text_zh: string;
  text_en: string;
  officer_zh: string;
  officer_en: string;
  accepted: {
    worst: "green" | "yellow";
    test_age_hours: number;
    as_of_minute: number;
    age_min: number;
    rule_set: string;
    binder: "device" | "device-and-card" | "card";
    specimen: boolean;
  } | null;
  list: { age_s: number; stale: boolean } | null;
}

export interface ListInUse extends InHand {
  age_s: number;
  stale: boolean;
  hard_stale_s: number;
  profiles: string[];
  rules: Record<string, AskedByProfile>;
}

/** What a profile asks for. */
export interface AskedByProfile {
  worst: "green" | "yellow";
  test_age_hours: number;
  binders: { binder: "device" | "device-and-card" | "card"; age_max_min: number }[];
}

export interface Opened {
  desk: Desk;
  rule: Rule;
  /** What the checkpoint says now, where that asks for less than what is in use. */
  offered: { setting: Setting; weaker: Words[] } | null;
  clockAheadS: number | null;
}

/** This device's storage refused what has to be kept. */
export class NotKept extends Error {}

const BATCH_ENTRY_LEN = 36;
const NOTHING = new Uint8Array();

export class Desk {
  /** What was wrong with the list that was kept; it is fetched again then. */
  lost: string | null = null;
  readonly guard: Guard;
  /** Batches that came with the list that is considered. */
  private readonly batches = new Map<string, Uint8Array>();

  private constructor(
    private readonly store: Store,
    private readonly gate: Gate,
    private inUse: Setting,
  ) {
    this.guard = new Guard(store);
  }

  get setting(): Setting {
    return this.inUse;
  }

  /**
   * Opens the gate with what this device has kept; without anything kept, the checkpoint has to be there. A setting of the
   * checkpoint's that asks for less than the kept one is only offered. Throws where there is neither.
   */
  static async open(): Promise<Opened> {
    const [store] = await Promise.all([Store.open(), init({ module_or_path: wasmUrl })]);
    const [kept, rule] = await Promise.all([store.setting(), store.rule()]);
    let asked: Asked | null = null;
    try {
      asked = await askSetting();
    } catch (error) {
      if (!kept) throw error;
    }
    let desk = await Desk.of(store, (kept ?? asked?.setting)!);
    let offered: Opened["offered"] = null;
    if (kept && asked) {
      const next = asked.setting;
      const weaker = weakerIn(next, kept, rule, (profile, than) => desk.gate.asks_no_less(profile, than));
      if (weaker.length > 0) {
        offered = { setting: next, weaker };
        if (kept.simulatedClock && next.simulatedClock) desk.inUse = { ...kept, clockOffsetS: next.clockOffsetS };
      } else if (gateOf(next) === gateOf(kept)) {
        desk.inUse = next;
      } else {
        // Only a setting that makes a gate takes the place of the one that was kept.
        const other = await Desk.of(store, next);
        desk.close();
        desk = other;
      }
    }
    await store.keepSetting(desk.setting);
    return { desk, rule, offered, clockAheadS: asked?.clockAheadS ?? null };
  }

  private static async of(store: Store, setting: Setting): Promise<Desk> {
    const gate = new Gate(
      setting.province,
      setting.gateId,
      setting.rootKeys,
      setting.rootThreshold,
      setting.admitsSpecimens,
      setting.slotSkew,
      (await store.memory()) ?? NOTHING,
    );
    const desk = new Desk(store, gate, setting);
    await desk.restore();
    return desk;
  }

  /** Keeps a setting that a supervisor has confirmed; it is used once the gate is opened again. */
  async keepSetting(setting: Setting): Promise<void> {
    await this.store.keepSetting(setting);
  }

  async keepRule(rule: Rule): Promise<void> {
    await this.store.keepRule(rule);
  }

  /** Uses the list that was kept, if there is one and it is whole. */
  private async restore(): Promise<void> {
    const list = await this.store.list();
    if (!list) return;
    try {
      this.gate.restore(list);
      await this.supply((digest) => this.store.batch(digest));
      this.gate.take();
    } catch (error) {
      this.lost = String(error);
    }
    this.batches.clear();
  }

  /** Seconds since the Unix epoch. */
  now(): number {
    return Date.now() / 1000 + this.setting.clockOffsetS;
  }

  list(): ListInUse | null {
    return JSON.parse(this.gate.list(this.now())) as ListInUse | null;
  }

  /** Fetches what is newer, checks it, keeps it, and uses it from then on. True if there was anything. */
  async renew(): Promise<boolean> {
    const inHand = this.list();
    let answer = await askList(inHand);
    if (answer.increment.length > 0) {
      try {
        this.gate.consider_increment(answer.increment, this.now());
      } catch {
        answer = await askList(null); // what it leads to is no list: the whole, then
        this.gate.consider(answer.bundle, this.now());
      }
    } else if (answer.bundle.length > 0) {
      this.gate.consider(answer.bundle, this.now());
    } else {
      return false;
    }
    await this.supply((_, bytes) => askBatch(bytes));
    const list = this.gate.take();
    await this.keep(list);
    return true;
  }

  /** Keeps a list with every batch that it names. */
  private async keep(list: Uint8Array): Promise<void> {
    const kept = new Map<string, Uint8Array>();
    for (const [digest] of entries(this.gate.batches())) {
      const batch = this.batches.get(digest) ?? (await this.store.batch(digest));
      if (!batch) throw new Error(`batch ${digest} is missing`);
      kept.set(digest, batch);
    }
    await this.store.keepList(list, kept);
    this.batches.clear();
  }

  private async supply(
    from: (digest: string, bytes: Uint8Array) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    for (const [digest, bytes] of entries(this.gate.missing())) {
      const batch = await from(digest, bytes);
      if (!batch) throw new Error(`batch ${digest} is missing`);
      this.gate.supply(batch);
      this.batches.set(digest, batch);
    }
  }

  /**
   * The verdict on a code. What the gate remembers of it is kept before it is answered: where that fails this throws, since
   * nobody is to be let pass whose code could be shown again. `at` is when it was read, seconds since the Unix epoch.
   */
  async decide(text: string, asks: { profile: string; asksForCard: boolean }, nonce: Uint8Array | null, card: string, at: number): Promise<Report> {
    const number = new TextEncoder().encode(card);
    this.gate.ask_for_card(asks.asksForCard);
    const report = JSON.parse(this.gate.decide(text, asks.profile, at, nonce ?? NOTHING, number)) as Report;
    await this.kept(this.store.keepMemory(this.gate.memory()));
    return report;
  }

  /** Counts a verdict before it is shown. */
  async count(outcome: Outcome): Promise<void> {
    await this.kept(this.store.count(Math.floor(this.now() / 3600), outcome));
  }

  private async kept(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw new NotKept("what the gate remembers could not be kept", { cause: error });
    }
  }

  /** The challenge with this nonce, as it is shown. */
  challenge(nonce: Uint8Array): { text: string; drawing: Drawing } {
    const text = this.gate.challenge(nonce);
    return { text, drawing: drawingOf(picture(text)) };
  }

  /** What is said of somebody of this temperature: `null` for one within the limit, `undefined` for a text that is none. */
  tooWarm(text: string, limit: number): Partial<Report> | null | undefined {
    try {
      return JSON.parse(too_warm(text, limit)) as Partial<Report> | null;
    } catch {
      return undefined;
    }
  }

  /** A highest temperature as it was typed, in tenths of a degree; `null` for a text that is none. */
  temperatureLimit(text: string): number | null {
    try {
      return temperature_limit(text);
    } catch {
      return null;
    }
  }

  /** Ends this gate: another one has its storage. */
  close(): void {
    this.gate.free();
  }

  counts(): Promise<[number, Counts][]> {
    return this.store.counts();
  }
}

/** What of a setting makes the gate, as text. */
function gateOf({ province, gateId, rootKeys, rootThreshold, admitsSpecimens, slotSkew }: Setting): string {
  return [province, gateId, rootKeys, rootThreshold, admitsSpecimens, slotSkew].join("|");
}

/** Whether two settings say the same, whatever the clocks were when they were asked for. */
export function isSameSetting(a: Setting, b: Setting): boolean {
  const rest = ({ profile, refreshEveryS, simulatedClock, temperatureLimit }: Setting) => [profile, refreshEveryS, simulatedClock, temperatureLimit].join("|");
  return gateOf(a) === gateOf(b) && rest(a) === rest(b);
}

/** Digest, as text and as bytes, of each entry: minute 4 bytes, digest 32. */
function entries(bytes: Uint8Array): [string, Uint8Array][] {
  const all: [string, Uint8Array][] = [];
  for (let at = 0; at < bytes.length; at += BATCH_ENTRY_LEN) {
    const digest = bytes.slice(at + 4, at + BATCH_ENTRY_LEN);
    all.push([Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join(""), digest]);
  }
  return all;
}
