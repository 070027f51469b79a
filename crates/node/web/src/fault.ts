// What went wrong, as a stable code: a reason of the home (docs/reasons.md), or one of this page's own.

import { ConnectError } from "@connectrpc/connect";

import { Fault, faultOfCall } from "../../../pages/web/fault.ts";
import { NotKept } from "./store.ts";

export { Fault } from "../../../pages/web/fault.ts";

export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof NotKept) return new Fault("NOT_KEPT", null, { cause: error });
  if (isFull(error)) return new Fault("NOT_KEPT", null, { cause: error });
  if (error instanceof ConnectError) return faultOfCall(error);
  if (error instanceof TypeError) return new Fault("NO_NETWORK", null, { cause: error });
  return new Fault("PAGE", null, { cause: error });
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && ["QuotaExceededError", "InvalidStateError", "UnknownError"].includes(error.name);
}
