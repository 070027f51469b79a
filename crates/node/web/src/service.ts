// Calls to the home: one service by gRPC-web on the page's own origin, each call but GetHome signed with the device's key.

import { create, toBinary, type DescMessage, type DescMethodUnary, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ResidentService, type GetHomeResponse } from "@viridian/wire/resident";

import { authBytes, authSigningBytes } from "./auth.ts";
import type { Clock } from "./clock.ts";
import { Fault, faultOf } from "./fault.ts";
import { freshId, sha256, sign } from "./keys.ts";

const transport = createGrpcWebTransport({ baseUrl: location.origin, defaultTimeoutMs: 30_000 });
const client = createClient(ResidentService, transport);

/** Who signs, and for whom. */
export interface Signer {
  key: CryptoKeyPair;
  keyId: Uint8Array;
  home: number;
}

export class Service {
  /** Hears of each signed call whether the home knew its key, and when it was begun: milliseconds since the page was opened. */
  hears: (isKnown: boolean, begunMs: number) => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  async home(): Promise<GetHomeResponse> {
    try {
      const asked = Date.now();
      const home = await client.getHome({});
      this.clock.note(home.nowMinute, (asked + Date.now()) / 2000);
      return home;
    } catch (error) {
      throw faultOf(error);
    }
  }

  /** Makes a signed call. Where the home finds this clock wrong, it is asked for the time and the call is signed again. */
  async call<B extends DescMessage, O extends DescMessage>(
    by: Signer,
    method: DescMethodUnary<DescMessage, O>,
    schema: B,
    init: MessageInitShape<B>,
  ): Promise<MessageShape<O>> {
    const begunMs = performance.now();
    const once = () => this.once(by, method, schema, init);
    try {
      const answer = await once().catch((error: unknown) => this.onTime(error, once));
      this.hears(true, begunMs);
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code === "UNKNOWN_DEVICE") this.hears(false, begunMs);
      throw fault;
    }
  }

  /** Asks for the time and does it again, where the fault is that of this clock. */
  private async onTime<T>(error: unknown, again: () => Promise<T>): Promise<T> {
    if (faultOf(error).code !== "CLOCK_SKEW") throw error;
    await this.home();
    return again();
  }

  private async once<B extends DescMessage, O extends DescMessage>(
    by: Signer,
    method: DescMethodUnary<DescMessage, O>,
    schema: B,
    init: MessageInitShape<B>,
  ): Promise<MessageShape<O>> {
    const body = toBinary(schema, create(schema, init));
    const auth = authBytes({
      path: `/${method.parent.typeName}/${method.name}`,
      home: by.home,
      deviceKeyId: by.keyId,
      minute: this.clock.minute(),
      nonce: freshId(),
      bodySha256: await sha256(new Uint8Array(body)),
    });
    const signature = await sign(by.key, authSigningBytes(auth));
    // As every signed request is put together.
    const request: MessageInitShape<DescMessage> = { body, auth: { auth, signature } };
    const answer = await transport.unary(method, undefined, undefined, undefined, request);
    if (answer.stream) throw new Fault("PAGE");
    return answer.message;
  }
}
