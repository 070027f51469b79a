// The gate in this page: the verifier, what is kept from one visit to the next, and the trust list's renewal.

import { askBatch, askList, askSetting, type InHand } from "./service.ts";
import { Store, type Counts, type Setting } from "./store.ts";
import init, { Gate } from "./wasm/gate.js";
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
}

/** This device's storage refused what has to be kept. */
export class NotKept extends Error {}

const BATCH_ENTRY_LEN = 36;
const NOTHING = new Uint8Array();

export class Desk {
  /** What was wrong with the list that was kept; it is fetched again then. */
  lost: string | null = null;
  /** Batches that came with the list that is considered. */
  private readonly batches = new Map<string, Uint8Array>();

  private constructor(
    private readonly store: Store,
    private readonly gate: Gate,
    readonly setting: Setting,
  ) {}

  /**
   * Opens the gate with what this device has kept; without anything kept, the checkpoint has to be there.
   * Throws where there is neither.
   */
  static async open(): Promise<{ desk: Desk; clockAheadS: number | null }> {
    const [store] = await Promise.all([Store.open(), init({ module_or_path: wasmUrl })]);
    let setting = await store.setting();
    let clockAheadS: number | null = null;
    try {
      const asked = await askSetting();
      setting = asked.setting;
      clockAheadS = asked.clockAheadS;
    } catch (error) {
      if (!setting) throw error;
    }
    const gate = new Gate(
      setting.province,
      setting.gateId,
      setting.rootKeys,
      setting.rootThreshold,
      setting.admitsSpecimens,
      setting.slotSkew,
      (await store.memory()) ?? NOTHING,
    );
    // Only a setting that makes a gate takes the place of the one that was kept.
    await store.keepSetting(setting);
    const desk = new Desk(store, gate, setting);
    await desk.restore();
    return { desk, clockAheadS };
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
   * nobody is to be let pass whose code could be shown again.
   */
  async decide(text: string, profile: string, card: string): Promise<Report> {
    const now = this.now();
    const number = new TextEncoder().encode(card);
    const report = JSON.parse(this.gate.decide(text, profile, now, NOTHING, number)) as Report;
    try {
      await this.store.keepMemory(this.gate.memory());
      await this.store.count(Math.floor(now / 3600), report.outcome);
    } catch (error) {
      throw new NotKept("what the gate remembers could not be kept", { cause: error });
    }
    return report;
  }

  /** Ends this gate: another one has its storage. */
  close(): void {
    this.gate.free();
  }

  counts(): Promise<[number, Counts][]> {
    return this.store.counts();
  }
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
