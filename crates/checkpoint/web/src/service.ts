// What is asked of the checkpoint: its setting, the trust list, batches of revocations.

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { GateService } from "@viridian/wire/gate";
import { TrustService } from "@viridian/wire/trust";

import type { Setting } from "./store.ts";

const transport = createGrpcWebTransport({ baseUrl: location.origin, defaultTimeoutMs: 10_000 });
const gate = createClient(GateService, transport);
const trust = createClient(TrustService, transport);

export interface Asked {
  setting: Setting;
  /** Seconds by which this device's clock is ahead of the checkpoint's; 0 where that one is simulated. */
  clockAheadS: number;
}

export async function askSetting(): Promise<Asked> {
  const before = Date.now();
  const answer = await gate.getSetting({});
  const here = (before + Date.now()) / 2000;
  const ahead = here - Number(answer.nowS);
  const rootKeys = new Uint8Array(32 * answer.rootKeys.length);
  answer.rootKeys.forEach((key, i) => rootKeys.set(key, 32 * i));
  return {
    setting: {
      province: answer.provinceCode,
      gateId: answer.gateId,
      rootKeys,
      rootThreshold: answer.rootThreshold,
      admitsSpecimens: answer.admitsSpecimens,
      slotSkew: answer.slotSkewHalfMin,
      profile: answer.profileId,
      refreshEveryS: answer.refreshEveryS,
      clockOffsetS: answer.simulatedClock ? Math.round(-ahead) : 0,
      simulatedClock: answer.simulatedClock,
      temperatureLimit: answer.temperatureLimitTenthC,
    },
    clockAheadS: answer.simulatedClock ? 0 : Math.round(ahead),
  };
}

export interface InHand {
  root_sequence: number;
  online_sequence: number;
  epoch: number;
  batch_minute: number;
}

/** What is newer than the list in hand. */
export function askList(inHand: InHand | null): Promise<{ bundle: Uint8Array; increment: Uint8Array }> {
  return trust.getTrustList({
    rootSequence: BigInt(inHand?.root_sequence ?? 0),
    onlineSequence: BigInt(inHand?.online_sequence ?? 0),
    epoch: inHand?.epoch ?? 0,
    batchMinute: inHand?.batch_minute ?? 0,
    acceptsIncrement: inHand !== null,
  });
}

export async function askBatch(digest: Uint8Array): Promise<Uint8Array> {
  return (await trust.getRevocationBatch({ digest })).batch;
}
