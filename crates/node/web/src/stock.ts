// The passes at hand: fetched ahead, several at a time, so that one is shown at one gate only as long as there are others.

import { ResidentService, RequestUseSchema, type GetHomeResponse } from "@viridian/wire/resident";
import { BinderKind } from "@viridian/wire/pass";

import type { Clock } from "./clock.ts";
import { Fault } from "./fault.ts";
import { freshId, hex, newKey, publicBytes } from "./keys.ts";
import { made, Refused } from "./made.ts";
import type { Service, Signer } from "./service.ts";
import type { KeptPass, Store, Use } from "./store.ts";
import { claimOf, wishName, type Wish } from "./wish.ts";

/** Passes of one request; of the first only one, so that there is something to show soon. */
const AT_ONCE = 4;
/** More are fetched once fewer have never been shown. */
const UNSHOWN_LEAST = 2;
/** A pass that is good for fewer minutes is told of. */
export const ENDS_SOON_MIN = 60;

export class Stock {
  private busy: Promise<boolean> | null = null;
  /** The newest epoch, and when this page first heard of it. */
  private seen: { epoch: number; atMs: number } | null = null;

  constructor(
    private readonly store: Store,
    private readonly service: Service,
    private readonly clock: Clock,
  ) {}

  /** The passes for a wish that are good now, those that were shown least first. */
  async atHand(wish: Wish): Promise<KeptPass[]> {
    const now = this.clock.minute();
    const name = wishName(wish);
    const good = (await this.store.passes()).filter((pass) => pass.wish === name && pass.goodUntil > now);
    return good.sort((a, b) => a.shown - b.shown || b.epoch - a.epoch || (a.id ?? 0) - (b.id ?? 0));
  }

  /** The pass to show next; it is counted as shown. */
  async take(wish: Wish): Promise<KeptPass | null> {
    const { endings } = this.store;
    const [first] = await this.atHand(wish);
    if (!first || this.store.endings !== endings) return null;
    const shown = { ...first, shown: first.shown + 1 };
    // A full storage does not keep anybody from showing what is there.
    await this.store.keepPass(shown).catch(console.warn);
    return shown;
  }

  /**
   * Fetches passes for a wish, unless there are enough of the newest epoch; true if more may be wanted: some came, or all were
   * thrown away meanwhile. `home` is what the home said last. Throws [`Refused`] where the record does not support it; the passes
   * of that wish are gone then.
   */
  async fill(by: Signer, wish: Wish, home: GetHomeResponse): Promise<boolean> {
    const { endings } = this.store;
    while (this.busy) await this.busy.catch(() => undefined);
    this.busy = this.filled(by, wish, home, endings).catch((error: unknown) => {
      // What was asked for has ended, whatever it came to.
      if (this.store.endings !== endings) return true;
      throw error;
    });
    try {
      return await this.busy;
    } finally {
      this.busy = null;
    }
  }

  /** Throws where all passes were thrown away since: what was begun before them is revoked, or nobody's, and is not kept. */
  private stillFrom(endings: number): void {
    if (this.store.endings !== endings) throw new Error("ended");
  }

  private async filled(by: Signer, wish: Wish, home: GetHomeResponse, endings: number): Promise<boolean> {
    const now = this.clock.minute();
    await this.store.dropPasses((pass) => pass.goodUntil <= now);
    for (const use of await this.store.uses()) {
      if (wishName(use.wish) !== wishName(wish)) continue;
      await this.finish(by, use, endings);
      // What it brought can be shown before more is asked for.
      return true;
    }
    const terms = home.passTerms;
    if (!terms) throw new Fault("NOT_COMMITTED");
    const held = await this.atHand(wish);
    const newest = held.filter((pass) => pass.epoch >= terms.epoch);
    if (newest.filter((pass) => pass.shown === 0).length >= UNSHOWN_LEAST) return false;
    if (held.length > 0 && newest.length === 0 && !(await this.isDue(terms.epoch))) return false;
    const use: Use = {
      id: freshId(),
      wish,
      keys: await Promise.all(Array.from({ length: held.length === 0 ? 1 : AT_ONCE }, newKey)),
      epoch: 0,
      asOf: terms.asOfMinute,
      // Should another epoch have begun meanwhile, this is earlier than it need be.
      goodUntil: terms.asOfMinute + terms.passAgeMaxMin,
    };
    this.stillFrom(endings);
    await this.store.keepUse(hex(use.id), use);
    await this.finish(by, use, endings);
    return true;
  }

  /** Whether the wait after an epoch's begin, drawn by the home for this device, is over. */
  private async isDue(epoch: number): Promise<boolean> {
    const renewal = await this.store.renewal();
    if (!renewal || renewal.epoch >= epoch) return true;
    if (this.seen?.epoch !== epoch) this.seen = { epoch, atMs: Date.now() };
    return Date.now() >= this.seen.atMs + renewal.delayS * 1000;
  }

  private async finish(by: Signer, use: Use, endings: number): Promise<void> {
    const name = hex(use.id);
    try {
      await this.request(by, use, endings);
      const passes = await made(this.service, by, use.id, use.keys.length);
      const wish = wishName(use.wish);
      const { epoch, asOf, goodUntil } = use;
      const brought = passes.map(({ pass, revocationSecret }, i): KeptPass => {
        return { wish, epoch, asOf, goodUntil, pass, secret: revocationSecret, key: use.keys[i]!, shown: 0 };
      });
      this.stillFrom(endings);
      await this.store.keepPasses(name, brought);
    } catch (error) {
      this.stillFrom(endings);
      // What these name stays refused however often it is asked for.
      const gone = ["NOT_FOUND", "UNKNOWN_EPOCH", "ID_REUSED", "UNKNOWN_RULE_SET", "TOO_MANY_RULE_SETS", "NOT_COMMITTED"];
      const isRefused = error instanceof Refused;
      if (isRefused || (error instanceof Fault && gone.includes(error.code))) await this.store.dropUse(name);
      if (isRefused) await this.store.dropPasses((pass) => pass.wish === wishName(use.wish));
      throw error;
    }
  }

  private async request(by: Signer, use: Use, endings: number): Promise<void> {
    if (use.epoch !== 0) return;
    const answer = await this.service.call(by, ResidentService.method.requestUse, RequestUseSchema, {
      useId: use.id,
      claim: claimOf(use.wish),
      ruleSetId: use.wish.ruleSet,
      binderKind: BinderKind.DEVICE,
      holderKeys: await Promise.all(use.keys.map(publicBytes)),
    });
    use.epoch = answer.epoch;
    this.stillFrom(endings);
    await this.store.keepUse(hex(use.id), use);
    this.stillFrom(endings);
    await this.store.keepRenewal({ epoch: answer.epoch, delayS: answer.renewDelayS });
  }
}
