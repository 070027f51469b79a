// What is asked of the program that serves this page. No call here has a field that a pass would fit into.

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  PublicService,
  type GetCountsResponse,
  type GetImpactsResponse,
  type GetOverviewResponse,
  type GetRuleTextResponse,
} from "@viridian/wire/public";
import { TrustService } from "@viridian/wire/trust";

const transport = createGrpcWebTransport({ baseUrl: location.origin, defaultTimeoutMs: 30_000 });
const known = createClient(PublicService, transport);
const trust = createClient(TrustService, transport);

export function askOverview(lookAgain: boolean): Promise<GetOverviewResponse> {
  return known.getOverview({ lookAgain });
}

export function askRuleText(digest: Uint8Array): Promise<GetRuleTextResponse> {
  return known.getRuleText({ digest });
}

export function askCounts(slot: number): Promise<GetCountsResponse> {
  return known.getCounts({ slot });
}

export function askImpacts(shortId: Uint8Array, fromSlot: number): Promise<GetImpactsResponse> {
  return known.getImpacts({ shortId, fromSlot });
}

/** The trust list whole: this page verifies it once more before it judges by it. */
export async function askList(): Promise<Uint8Array> {
  return (await trust.getTrustList({})).bundle;
}

export async function askBatch(digest: Uint8Array): Promise<Uint8Array> {
  return (await trust.getRevocationBatch({ digest })).batch;
}
