// A pass on paper: bound to the identity card of the person, so it needs no key, and whoever finds it can do nothing with it.

import { ResidentService, RequestUseSchema, type GetHomeResponse } from "@viridian/wire/resident";
import { BinderKind } from "@viridian/wire/pass";

import { Fault } from "./fault.ts";
import { freshId } from "./keys.ts";
import { made } from "./made.ts";
import type { Service, Signer } from "./service.ts";
import { claimOf, wishName, type Wish } from "./wish.ts";

/** A pass to be printed. */
export interface Paper {
  pass: Uint8Array;
  asOf: number;
  /** The end that no gate of the federation goes beyond; minutes since the Unix epoch. */
  goodUntil: number;
}

/** Fetches passes for paper; nothing of them is kept when the page is closed. */
export class PaperDesk {
  /** What was requested last: the same again, and after a fault, is the same pass. */
  private last: { name: string; id: Uint8Array } | null = null;

  constructor(private readonly service: Service) {}

  /** `home` is what the home said last. Throws [`Refused`] where the record does not support the wish. */
  async fetch(by: Signer, wish: Wish, home: GetHomeResponse): Promise<Paper> {
    const terms = home.passTerms;
    if (!terms) throw new Fault("NOT_COMMITTED");
    if (terms.cardPassAgeMaxMin === 0) throw new Fault("NO_PAPER");
    const name = `${terms.epoch}/${wishName(wish)}`;
    if (this.last?.name !== name) this.last = { name, id: freshId() };
    const useId = this.last.id;
    try {
      const asked = await this.service.call(by, ResidentService.method.requestUse, RequestUseSchema, {
        useId,
        claim: claimOf(wish),
        ruleSetId: wish.ruleSet,
        binderKind: BinderKind.CARD,
      });
      // An epoch that has begun since the home was asked makes the end later than is said here, never sooner.
      if (asked.epoch < terms.epoch) throw new Fault("UNKNOWN_EPOCH");
      const [only] = await made(this.service, by, useId, 1);
      return { pass: only!.pass, asOf: terms.asOfMinute, goodUntil: terms.asOfMinute + terms.cardPassAgeMaxMin };
    } catch (error) {
      // A busy home and a lost network are asked again for the same; all else is asked for anew.
      if (!(error instanceof Fault && ["NO_NETWORK", "PROVER_BUSY"].includes(error.code))) this.last = null;
      throw error;
    }
  }
}
