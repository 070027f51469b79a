// A console made up for the tests of its page: the built page under the same rules as the program serves it, and answers that
// are written down here. What the program does is tested with the program.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

import { create, toBinary, fromBinary, type DescMethodUnary, type Message } from "@bufbuild/protobuf";
import { ConsoleService } from "@viridian/wire/console";
import { PublicService } from "@viridian/wire/public";

import { root } from "./program.ts";
import { refusal } from "./wallet.ts";

const dist = join(root, "crates/console/web/dist");
/** The policy that every page is served under. */
const POLICY = /const POLICY: &str = "([^"]+)"/.exec(readFileSync(join(root, "crates/pages/src/headers.rs"), "utf8"))![1]!.replaceAll(/\\\n\s*/g, "");

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/** The services of the page, by what their calls are called here. */
const SERVICES = [
  { service: ConsoleService, prefix: "" },
  { service: PublicService, prefix: "public." },
];

/** What a call is answered with: a message, or the code of a reason. */
export type Answer = Record<string, unknown> | string;
export type Answers = Record<string, (request: Message & Record<string, unknown>) => Answer>;

export class Console {
  /** Calls by name, in the order in which they came. */
  readonly calls: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly answers: Answers,
  ) {}

  static async start(answers: Answers): Promise<Console> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const made = new Console(server, { ...answers });
    server.on("request", (request, response) => void made.answer(request, response));
    return made;
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}/`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?")[0]!;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    response.setHeader("content-security-policy", POLICY);
    for (const { service, prefix } of SERVICES) {
      const call = service.methods.find((method) => path === `/${service.typeName}/${method.name}`);
      if (!call) continue;
      this.calls.push(prefix + call.name);
      response.setHeader("content-type", "application/grpc-web+proto");
      response.end(this.answered(call as DescMethodUnary, prefix + call.localName, Buffer.concat(parts).subarray(5)));
      return;
    }
    try {
      const name = path === "/" ? "index.html" : path.slice(1);
      response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
      response.end(readFileSync(join(dist, name)));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }

  private answered(call: DescMethodUnary, name: string, body: Buffer): Buffer {
    const request = fromBinary(call.input, body) as Message & Record<string, unknown>;
    const answer = this.answers[name]?.(request) ?? "UNKNOWN_METHOD";
    if (typeof answer === "string") return refusal(answer, 9).body;
    const message = toBinary(call.output, create(call.output, answer as never));
    return Buffer.concat([framed(0, Buffer.from(message)), framed(0x80, Buffer.from("grpc-status:0\r\n"))]);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** A frame of gRPC-web: a flag, the length, and the bytes. */
function framed(flag: number, bytes: Buffer): Buffer {
  const head = Buffer.from([flag, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
