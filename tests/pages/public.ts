// An auditor that serves the public page, and the nodes that it asks: the files of a made-up federation, as its tests write them.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { vectors as codes } from "./gate.ts";

const root = join(import.meta.dirname, "../..");

interface Vectors {
  federation: string;
  now_s: number;
  hostile_name: string;
  nodes: Record<string, string>[];
  newer_list: string;
  lying_checkpoint: string;
}

export const vectors = JSON.parse(readFileSync(join(root, "crates/auditor/vectors/public.json"), "utf8")) as Vectors;

/** A node's listener of what anybody may read. What it serves can be changed. */
export class Node {
  readonly files = new Map<string, Buffer>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(files: Record<string, string>): Promise<Node> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const node = new Node(server, (server.address() as AddressInfo).port);
    for (const [path, hex] of Object.entries(files)) node.put(path, Buffer.from(hex, "hex"));
    server.on("request", (request, response) => {
      const found = node.files.get((request.url ?? "/").slice(1));
      response.statusCode = found ? 200 : 404;
      response.end(found ?? "");
    });
    return node;
  }

  put(path: string, bytes: Buffer): void {
    this.files.set(path, bytes);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

export class Auditor {
  private constructor(
    readonly url: string,
    readonly nodes: Node[],
    private readonly process: ChildProcess,
    private readonly dir: string,
  ) {}

  /** With the nodes of the vectors, or with others. */
  static async start(files: Record<string, string>[] = vectors.nodes, minutesLater = 0): Promise<Auditor> {
    const nodes = await Promise.all(files.map((of) => Node.start(of)));
    const dir = mkdtempSync(join(tmpdir(), "public-"));
    const asked = nodes.map((node, i) => `[[node]]\nslot = ${i + 1}\nurl = "http://127.0.0.1:${node.port}"\n`);
    writeFileSync(
      join(dir, "page.toml"),
      `federation = "${vectors.federation}"
[trust]
root_keys = [${codes.root_keys.map((key) => `"${key}"`).join(", ")}]
root_threshold = ${codes.root_threshold}
${asked.join("")}
[clock]
start_minute = ${Math.floor(vectors.now_s / 60) + minutesLater}
rate_min_per_s = 0
`,
    );
    const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/auditor");
    const child = spawn(program, ["page", "--config", join(dir, "page.toml")], { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise<string>((found, failed) => {
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const page = /^page (http:\S+)$/m.exec(said)?.[1];
        if (page) found(page);
      });
      child.on("exit", (code) => failed(new Error(`the auditor ended with ${code}: ${said}`)));
      child.on("error", failed);
    });
    return new Auditor(url, nodes, child, dir);
  }

  /** Ends the program and leaves its nodes. */
  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
  }

  async stop(): Promise<void> {
    await this.end();
    for (const node of this.nodes) await node.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
