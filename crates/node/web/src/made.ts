// Passes that were requested, asked for until the home has made them.

import { ResidentService, MakeCodeSchema, MakeCodeState, type IssuedPass, type Refusal } from "@viridian/wire/resident";

import { Fault } from "./fault.ts";
import type { Service, Signer } from "./service.ts";

/** Requests of one round; a home that has not finished by then is asked again later. */
const ASKED_MOST = 60;
/** Shortest and longest wait before it is asked again, whatever it says. */
const WAIT_LEAST_MS = 200;
const WAIT_MOST_MS = 10_000;

/** The record does not support what was asked for. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal | undefined) {
    super("refused");
  }
}

/** The passes of a request, as many as were asked for. Throws [`Refused`] where there are none, and `PROVER_BUSY` after one round. */
export async function made(service: Service, by: Signer, useId: Uint8Array, count: number): Promise<IssuedPass[]> {
  for (let asked = 0; asked < ASKED_MOST; asked++) {
    const answer = await service.call(by, ResidentService.method.makeCode, MakeCodeSchema, { useId });
    if (answer.state === MakeCodeState.READY) {
      if (answer.passes.length !== count) throw new Fault("PAGE");
      return answer.passes;
    }
    if (answer.state === MakeCodeState.REFUSED) throw new Refused(answer.refusal);
    await new Promise((done) => setTimeout(done, Math.min(Math.max(answer.retryAfterMs, WAIT_LEAST_MS), WAIT_MOST_MS)));
  }
  throw new Fault("PROVER_BUSY");
}
