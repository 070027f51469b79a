// What is asked of the console. The session is a cookie that no script reads; it goes with every call by itself.

import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ConsoleService } from "@viridian/wire/console";
import { PublicService } from "@viridian/wire/public";

import { Fault, faultOfCall } from "../../../pages/web/fault.ts";

const transport = createGrpcWebTransport({ baseUrl: location.origin, defaultTimeoutMs: 30_000 });

export const service = createClient(ConsoleService, transport);
/** What the federation publishes; behind the same session. */
export const publications = createClient(PublicService, transport);

export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof ConnectError) return faultOfCall(error);
  if (error instanceof TypeError) return new Fault("NO_NETWORK", null, { cause: error });
  return new Fault("PAGE", null, { cause: error });
}
