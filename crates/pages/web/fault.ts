// What went wrong, as a stable code: a reason of the program that was asked (docs/reasons.md), or one of the page's own.

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Code, type ConnectError } from "@connectrpc/connect";

/** A fault with what there is to say about it besides the words of its code. */
export class Fault extends Error {
  constructor(
    /** `NO_NETWORK`, `PAGE`, another code of the page's own, or the code of a reason. */
    readonly code: string,
    /** When it can be tried again, if the program said so. */
    readonly retryAfterS: number | null = null,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

export function faultOfCall(error: ConnectError): Fault {
  const details = error.details.flatMap((detail) => ("type" in detail ? [detail] : []));
  const info = details.find((detail) => detail.type === "google.rpc.ErrorInfo");
  const retry = details.find((detail) => detail.type === "google.rpc.RetryInfo");
  const options = { cause: error };
  if (info) return new Fault(reasonIn(info.value), retry ? secondsIn(retry.value) : null, options);
  // Without a reason it was not the program that answered.
  const unreachable = [Code.Unavailable, Code.DeadlineExceeded, Code.Unknown, Code.Canceled];
  return new Fault(unreachable.includes(error.code) ? "NO_NETWORK" : "PAGE", null, options);
}

/** The fields of a message that are wanted, by number: bytes and numbers. */
function fields(bytes: Uint8Array): Map<number, Uint8Array | bigint> {
  const found = new Map<number, Uint8Array | bigint>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) found.set(number, reader.bytes());
    else if (type === WireType.Varint) found.set(number, BigInt(reader.uint64()));
    else reader.skip(type, number);
  }
  return found;
}

/** `google.rpc.ErrorInfo.reason`. */
function reasonIn(info: Uint8Array): string {
  const reason = fields(info).get(1);
  const text = reason instanceof Uint8Array ? new TextDecoder().decode(reason) : "";
  return /^[A-Z_]{1,40}$/.test(text) ? text : "PAGE";
}

/** `google.rpc.RetryInfo.retry_delay`, in whole seconds. */
function secondsIn(retry: Uint8Array): number | null {
  const delay = fields(retry).get(1);
  if (!(delay instanceof Uint8Array)) return null;
  const seconds = fields(delay).get(1);
  return typeof seconds === "bigint" ? Number(seconds) + 1 : 1;
}
