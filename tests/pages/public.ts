// An auditor that serves the public page, and the nodes that it asks: the files of a made-up federation, as its tests write them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { vectors as codes } from "./gate.ts";
import { Program, root } from "./program.ts";

interface Vectors {
  federation: string;
  now_s: number;
  hostile_name: string;
  announced_rules: string;
  nodes: Record<string, string>[];
  newer_list: string;
  lying_checkpoint: string;
}

export const vectors = JSON.parse(readFileSync(join(root, "crates/published/vectors/public.json"), "utf8")) as Vectors;

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

/** Tables of a configuration for a program that asks these nodes at the time of the vectors; the text of a rule set lies in `dir`. */
export function asked(nodes: Node[], dir: string, minutesLater = 0) {
  writeFileSync(join(dir, "announced.toml"), vectors.announced_rules);
  const nodeTables = (name: string) => nodes.map(({ port }, i) => `[[${name}]]\nslot = ${i + 1}\nurl = "http://127.0.0.1:${port}"\n`).join("");
  const keys = codes.root_keys.map((key) => `"${key}"`).join(", ");
  return {
    trust: `[trust]\nroot_keys = [${keys}]\nroot_threshold = ${codes.root_threshold}\n`,
    clock: `[clock]\nstart_minute = ${Math.floor(vectors.now_s / 60) + minutesLater}\nrate_min_per_s = 0\n`,
    nodeTables,
  };
}

export class Auditor {
  private constructor(
    private readonly program: Program,
    readonly nodes: Node[],
    private readonly dir: string,
  ) {}

  /** With the nodes of the vectors, or with others. */
  static async start(files: Record<string, string>[] = vectors.nodes, minutesLater = 0): Promise<Auditor> {
    const nodes = await Promise.all(files.map((of) => Node.start(of)));
    const dir = mkdtempSync(join(tmpdir(), "public-"));
    const { trust, clock, nodeTables } = asked(nodes, dir, minutesLater);
    const text = `federation = "${vectors.federation}"\nrule_files = ["announced.toml"]\n${trust}${nodeTables("node")}${clock}`;
    writeFileSync(join(dir, "page.toml"), text);
    return new Auditor(await Program.start("auditor", "page", "--config", join(dir, "page.toml")), nodes, dir);
  }

  get url(): string {
    return this.program.url;
  }

  /** Ends the program and leaves its nodes. */
  async end(): Promise<void> {
    await this.program.stop();
  }

  async stop(): Promise<void> {
    await this.end();
    for (const node of this.nodes) await node.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
